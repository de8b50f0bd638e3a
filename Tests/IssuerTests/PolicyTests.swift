// RFC 6030 §5: what a policy allows, and that one which isn't known allows nothing.
import Linux
import Testing

@testable import softtoken_issuer

@Suite("Key policy")
struct PolicyTests {
    private func problem(_ policy: String, _ purpose: KeyPurpose) throws -> Failure? {
        let package = try packages(of: container(policy: policy)).keys[0]
        do throws(Failure) {
            try package.policy.check(for: purpose, at: 1_000_000_000)
            return nil
        } catch { return error }
    }

    @Test(
        "What is not known means that the key is not used",
        arguments: [
            "<Geofence>here</Geofence>", "<KeyUsage>OTP</KeyUsage><x:New xmlns:x=\"urn:x\"/>",
            "<StartDate>soon</StartDate>", "<ExpiryDate/>",
            "<PINPolicy PINUsageMode=\"Local\" Colour=\"red\"/>",
        ])
    func unknown(policy: String) throws {
        #expect(try problem(policy, .verifying) == .unknownPolicy)
        #expect(try problem(policy, .link) == .unknownPolicy)
    }

    static let rows: [(String, verifying: Failure?, link: Failure?)] = [
        ("", nil, nil),
        ("<KeyUsage>OTP</KeyUsage>", nil, nil),
        ("<KeyUsage>CR</KeyUsage><KeyUsage>OTP</KeyUsage>", nil, nil),
        ("<KeyUsage>Encrypt</KeyUsage>", .notForOTP, .notForOTP),
        ("<NumberOfTransactions>5</NumberOfTransactions>", .transactions, .transactions),
        ("<StartDate>2001-09-09T01:46:40Z</StartDate>", nil, nil),
        ("<StartDate>2001-09-09T01:46:41Z</StartDate>", .notYetValid, .notYetValid),
        ("<ExpiryDate>2001-09-09T01:46:40Z</ExpiryDate>", .expired, .expired),
        ("<ExpiryDate>2001-09-09T01:46:41Z</ExpiryDate>", nil, nil),
        ("<PINPolicy PINUsageMode=\"Local\" MinLength=\"4\" MaxLength=\"8\"/>", nil, nil),
        ("<PINPolicy PINUsageMode=\"Local\" MinLength=\"6\"/>", nil, .pin),
        ("<PINPolicy PINUsageMode=\"Local\" PINEncoding=\"ALPHANUMERIC\"/>", nil, .pin),
        ("<PINPolicy PINUsageMode=\"Local\" PINKeyId=\"1\"/>", nil, .pin),
        ("<PINPolicy PINUsageMode=\"Local\" MaxFailedAttempts=\"2\"/>", nil, .pin),
        ("<PINPolicy PINUsageMode=\"Prepend\"/>", .pin, .pin),
        ("<PINPolicy PINUsageMode=\"Append\"/>", .pin, .pin),
        ("<PINPolicy PINUsageMode=\"Algorithmic\"/>", .pin, .pin),
    ]

    @Test("Each element allows what RFC 6030 says", arguments: rows.indices)
    func known(index: Int) throws {
        let row = PolicyTests.rows[index]
        #expect(try problem(row.0, .verifying) == row.verifying, "\(row.0)")
        #expect(try problem(row.0, .link) == row.link, "\(row.0)")
    }

    @Test("The PIN's failed attempts become the link's limit, ten at most")
    func attempts() throws {
        let attempts = { (number: Int) in
            let pin = "<PINPolicy PINUsageMode=\"Local\" MaxFailedAttempts=\"\(number)\"/>"
            return try packages(of: container(policy: pin)).keys[0].policy.attempts
        }
        #expect(try attempts(5) == 5)
        #expect(try attempts(99) == 10)
    }

    @Test(
        "Dates are read as XML Schema has them",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2006-05-31T00:00:00Z", 1_149_033_600),
            ("2000-02-29T12:00:00.25Z", 951_825_600), ("1969-12-31T23:59:59Z", -1),
            ("2006-05-31T02:00:00+02:00", 1_149_033_600), ("2006-05-31T00:00:00", 1_149_033_600),
            ("2005-12-31T19:00:00-05:00", 1_135_987_200 + 86_400),
        ] as [(String, Int64)])
    func dates(text: String, seconds: Int64) {
        #expect(unixSeconds(text) == seconds)
    }

    @Test(
        "What is no date is none",
        arguments: [
            "", "2006-05-31", "2006-02-30T00:00:00Z", "2006-13-01T00:00:00Z",
            "2006-05-31T24:00:00Z", "2006-5-31T00:00:00Z", "2006-05-31T00:00:00+25:00",
            "2006-05-31T00:00:00.Z", "2006-05-31 00:00:00Z", "+006-05-31T00:00:00Z",
        ])
    func noDate(text: String) {
        #expect(unixSeconds(text) == nil)
    }

    @Test("Dates come back as they went")
    func roundTrip() {
        for seconds in stride(from: Int64(-5_000_000_000), to: 9_000_000_000, by: 98_765_431) {
            #expect(unixSeconds(UTCTime.text(unixSeconds: seconds)) == seconds)
        }
    }
}
