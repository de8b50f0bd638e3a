// Everything outside of the home that decides: identity, marker, environment, the administrator's
// policy and issuers. Read from fixed places, before the sandbox closes; tests make them up.
// Bound by DESIGN §6, §8 and CONTRACT §4 (last paragraph).
import Activation
import Device
import Keystore
import Linux

/// What the device is and what its administrator says.
struct DeviceFacts: Sendable {
    /// Read where it is compared, the first time before the sandbox closes.
    var identity: @Sendable () throws(SystemError) -> DeviceIdentity
    var environment: DeviceEnvironment
    var marker: PrescribingMarker
    /// Read where there are keys, the first time before the sandbox closes.
    var machineID: @Sendable () -> MachineValues
    /// Where the program was started from.
    var login: LoginPlace
    var policy: AdministratorPolicy?
    var issuers: [IssuerFile] = []
    /// Whether a marker stands there by now.
    var isMarkerThere: @Sendable () -> Bool
    /// Whether the administrator's files are still the ones that were read: root may change them while
    /// a prompt waits, and inside of the file sandbox they can't be read again.
    var isConfigurationAsRead: @Sendable () -> Bool = { true }

    /// The verdict over prescribing records and this computer's marker.
    ///
    /// - Throws: `inputOutput` where the identity is needed and can't be read any more.
    func verdict(
        records: [PrescribingRecord], marker: PrescribingMarker
    ) throws(AuthenticatorError) -> SeparationVerdict {
        let identity =
            isIdentityCompared(records: records, marker: marker)
            ? try fromSystem(try identity()) : DeviceIdentity([])
        return separationVerdict(
            of: identity, records: records, marker: marker, environment: environment)
    }

    /// How the key of a link stands under the link's issuer with the administrator.
    func trust(of link: VerifiedLink) -> IssuerTrust {
        let own = issuers.filter { $0.key == link.key }
        if own.contains(where: { $0.name == link.issuer }) {
            // Where the caller can make files up, these too.
            return environment.canBeMadeUp ? .unknown : .trusted
        }
        let seen = link.issuer.asSeen.lowercased()
        let isClaimed = issuers.contains {
            $0.key != link.key && $0.name.asSeen.lowercased() == seen
        }
        return isClaimed ? .otherKey : own.isEmpty ? .unknown : .otherName
    }

    private static let policyPath = "/etc/softtoken/policy.json"
    private static let issuersPath = "/etc/softtoken/issuers"

    /// Reads the real ones.
    ///
    /// - Throws: `AuthenticatorError.configuration` for a policy or issuer file that is malformed
    ///   or not root's alone.
    static func read(sshConnection: String?) throws(AuthenticatorError) -> DeviceFacts {
        var device = withoutAdministrator(sshConnection: sshConnection)
        // Before they are read: what changes in between counts as changed.
        let found = configurationAttributes
        device.isConfigurationAsRead = { configurationAttributes == found }
        device.policy = try readPolicy()
        device.issuers = try readIssuers()
        return device
    }

    /// Reads all but the administrator's files: what no PIN may be asked with.
    static func withoutAdministrator(sshConnection: String?) -> DeviceFacts {
        DeviceFacts(
            identity: DeviceIdentity.read, environment: DeviceEnvironment.read(),
            marker: PrescribingMarker.read(), machineID: MachineValues.read,
            login: loginPlace(sshConnection: sshConnection),
            isMarkerThere: { PrescribingMarker.isThere })
    }

    private static var configurationAttributes: [FileAttributes?] {
        [FileAttributes(of: policyPath), FileAttributes(of: issuersPath)]
    }

    private static func readPolicy() throws(AuthenticatorError) -> AdministratorPolicy? {
        guard let bytes = try administratorFile(policyPath) else { return nil }
        do throws(ActivationError) {
            return try AdministratorPolicy(parsing: bytes.span)
        } catch {
            let reason = unknownMemberWords(bytes) ?? error.explanation
            throw .init(.configuration(path: policyPath, reason: reason))
        }
    }

    /// Which member is none, and which one was probably meant; nil where that is not what is wrong.
    private static func unknownMemberWords(_ file: [UInt8]) -> String? {
        guard let unknown = AdministratorPolicy.unknownMember(in: file) else { return nil }
        let meant = nearest(to: unknown, among: AdministratorPolicy.memberNames)
        return "there is no member \(unknown): "
            + (meant.map { "did you mean \($0)?" }
                ?? "there are \(AdministratorPolicy.memberNames.joined(separator: ", "))")
    }

    private static func readIssuers() throws(AuthenticatorError) -> [IssuerFile] {
        var issuers: [IssuerFile] = []
        for name in systemFolderNames(issuersPath) where name.hasSuffix(".pub") {
            let path = "\(issuersPath)/\(name)"
            guard let bytes = try administratorFile(path) else { continue }
            do throws(ActivationError) {
                issuers.append(try IssuerFile(parsing: bytes.span))
            } catch { throw .init(.configuration(path: path, reason: error.explanation)) }
        }
        return issuers
    }

    /// A file of root's that nobody else can write; nil if there is none.
    private static func administratorFile(
        _ path: String
    ) throws(AuthenticatorError) -> [UInt8]? {
        do throws(FileProblem) {
            return try readAdministratorFile(path, limit: 65_536)
        } catch { throw .init(.configuration(path: path, reason: error.reason)) }
    }
}

extension FileProblem {
    /// Why a file of the administrator's can't be used, in words.
    var reason: String {
        switch self {
        case .system(let error): error.reason
        case .wrongOwner: "it belongs to another user than root"
        case .writableByOthers, .openToOthers: "others than root can write it"
        case .notPlain: "it is not a plain file"
        case .tooLong: "it is too long"
        }
    }
}
