// A secret on its way from the person into guarded memory. Bound by STYLE 8.
import Keystore

/// What was typed, in guarded memory; perhaps nothing.
struct TypedSecret: ~Copyable {
    private let memory: SecureBytes
    let byteCount: Int

    init(_ memory: consuming SecureBytes, byteCount: Int) {
        self.memory = memory
        self.byteCount = byteCount
    }

    borrowing func read<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let byteCount = byteCount
        return try memory.read { (bytes) throws(E) in try body(bytes.extracting(0..<byteCount)) }
    }
}

extension Flow {
    func secret(
        _ question: SecretQuestion, _ person: any Prescriber
    ) throws(AuthenticatorError) -> TypedSecret {
        var memory = try inKeystore(try SecureBytes(count: question.capacity))
        let count = try memory.fill {
            (answer: inout OutputSpan<UInt8>) throws(AuthenticatorError) in
            try person.secret(question, into: &answer)
        }
        return TypedSecret(memory, byteCount: count)
    }
}
