// RFC 4180 as it is met, and the columns of `issue --csv`.
import Activation
import ArgumentParser
import Foundation
import Keystore
import Testing

@testable import softtoken_issuer

@Suite("CSV")
struct CSVTests {
    private func fields(_ text: String) throws -> [[String]?] {
        try rows(Array(text.utf8)).map(\.texts)
    }

    static let table: [(String, [[String]?])] = [
        ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]),
        ("a,b\nc,d", [["a", "b"], ["c", "d"]]),
        ("\u{FEFF}a\nb", [["a"], ["b"]]),
        ("\"a,b\",\"c\"\"d\"\r\n", [["a,b", "c\"d"]]),
        ("\"a\r\nb\",c\n", [["a\r\nb", "c"]]),
        (",\n", [["", ""]]),
        ("\n\r\na\n\n", [["a"]]),
        ("\"\"\n", []),
        ("", []),
        ("a\"b\nc\n", [nil, ["c"]]),
        ("\"a\"b\nc\n", [nil, ["c"]]),
        ("\"a\"\"\nc", [nil]),
        ("a\rb\n", [["a\rb"]]),
        // RFC 4180 §2.5: nothing outside of the quotation marks, a space neither.
        ("\"a\" ,b\nc,d\n", [nil, ["c", "d"]]),
        (" \"a\",b\nc,d\n", [nil, ["c", "d"]]),
    ]

    @Test("Quoting is RFC 4180's, and a bad row doesn't end the reading", arguments: table.indices)
    func quoting(index: Int) throws {
        #expect(try fields(CSVTests.table[index].0) == CSVTests.table[index].1)
    }

    @Test("A row knows the line on which it begins")
    func lines() throws {
        #expect(try rows(Array("a\n\"b\nb\"\n\nc\n".utf8)).map(\.line) == [1, 2, 5])
    }

    @Test("A row without end is no row, and the next one is read")
    func longRow() throws {
        let long = String(repeating: "x", count: 200_000)
        #expect(try fields(long + ",y\nz\n") == [nil, ["z"]])
        #expect(try fields("\"" + long + "\",y\nz\n") == [nil, ["z"]])
        let wide = String(repeating: "1234567,", count: 20_000)
        let empty = String(repeating: ",", count: 70_000)
        for row in [wide, empty] { #expect(try fields(row + "\nz\n") == [nil, ["z"]]) }
    }

    @Test(
        "A field that a spreadsheet takes for a formula is text",
        arguments: ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\u{FF1D}1"])
    func formula(text: String) throws {
        #expect(try fields(csvField(text) + ",x\n") == [["'" + text, "x"]])
    }

    @Test("Two names are two fields, with an apostrophe before a formula of one, too")
    func apostrophes() throws {
        let names = ["=1", "'=1", "''=1", "'", "''", "'t Hooft", "'-", "-", "' =1", "a'=1"]
        #expect(Set(names.map(csvField)).count == names.count)
        #expect(csvField("'=1") == "''=1" && csvField("'t Hooft") == "'t Hooft")
    }

    @Test("A field is quoted where it has to be", arguments: ["a", "a,b", "\"", "a\nb", ""])
    func writing(text: String) throws {
        #expect(try fields(csvField(text) + ",x\n") == [[text, "x"]])
    }

    private func order(_ head: [String], _ row: [String], _ arguments: [String] = []) throws
        -> TokenOrder
    {
        let options = try TokenOptions.parse(arguments)
        let columns = try CSVColumns(head)
        return try columns.order(row, token: options, terms: LinkTerms())
    }

    @Test("Columns win over the command line, empty fields don't")
    func columns() throws {
        let head = ["Account", "serial", " type", "algorithm", "digits", "period"]
        let full = try order(head, ["a", "S", "totp", "sha512", "8", "60"], ["--digits", "7"])
        #expect(full.serial == "S")
        #expect(full.parameters.algorithm == .sha512)
        #expect(full.parameters.digits.value == 8)
        #expect(full.parameters.factor == .time(stepSeconds: 60))
        let empty = try order(head, ["a", "", "", "", "", ""], ["--digits", "7", "--hotp"])
        #expect(empty.parameters.digits.value == 7)
        #expect(empty.parameters.factor == .counter(0))
        #expect(empty.serial.count == 12)
    }

    @Test(
        "A bad field is told by what is wrong with it",
        arguments: [
            ["", "", "", "", ""], ["a", "x\u{7}", "", "", ""], ["a", "", "sotp", "", ""],
            ["a", "", "", "9", ""], ["a", "", "", "", "10"], ["a", "", "hotp", "", "30"], ["a"],
        ])
    func badRows(row: [String]) throws {
        let head = ["account", "serial", "type", "digits", "period"]
        #expect(throws: Failure.self) { try order(head, row) }
    }

    @Test("A request is taken beside the verification that was heard, in either case, and no other")
    func verification() throws {
        let request = EnrolmentRequest(publicKey: randomBytes(count: 32))
        let head = ["account", "request", "verification"]
        let heard = request.verification
        let parted = heard.lowercased().split(separator: "-").joined(separator: " ")
        for heard in [heard, parted, " " + heard + " "] {
            guard case .request(let taken) = try order(head, ["a", request.text, heard]).lock else {
                Issue.record("the row has a code")
                continue
            }
            #expect(taken.verification == request.verification)
        }
        let other = EnrolmentRequest(publicKey: randomBytes(count: 32)).verification
        for heard in ["", "yes", other, String(heard.dropLast()), heard + "A", "----"] {
            #expect(throws: Failure.self) { try order(head, ["a", request.text, heard]) }
        }
        #expect(throws: Failure.self) { try order(head, ["a", "", heard]) }
        #expect(throws: Failure.self) { _ = try CSVColumns(["account", "request"]) }
        guard case .code = try order(head, ["a", "", ""]).lock else {
            Issue.record("the row has no code")
            return
        }
    }

    @Test("No message says the verification that a request should have had")
    func untold() throws {
        let request = EnrolmentRequest(publicKey: randomBytes(count: 32))
        let head = ["account", "request", "verification"]
        for heard in ["", "AAAA-AAAA-AAAA-AAAA"] {
            let problem = #expect(throws: Failure.self) {
                try order(head, ["a", request.text, heard])
            }
            #expect(problem?.message?.contains(request.verification) == false)
        }
    }

    @Test("The progress line fits 72 columns and never lies beyond its end")
    func progress() {
        #expect(
            ProgressBar.line(0.5, links: 50_000, elapsed: 25)
                == "[############............] 50 %, 50000 links, 2000/s, 0:25 left")
        #expect(
            ProgressBar.line(7, links: 1, elapsed: 1).hasPrefix("[########################] 100 %"))
        #expect(ProgressBar.line(nil, links: 3, elapsed: 0) == "3 links, 0/s")
    }
}
