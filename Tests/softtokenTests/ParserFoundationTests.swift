// What stands in for Foundation in the release programs, against Foundation. Binds the note StaticPIE.
import Foundation
import ParserFoundation
import Testing

@Suite("Foundation's stand-in")
struct ParserFoundationTests {
    @Test("It writes the JSON that Foundation writes")
    func writes() throws {
        let document = Document()
        let ours = try ParserFoundation.JSONEncoder().encode(document)
        let theirs = try Foundation.JSONEncoder().encode(document)
        let decoder = JSONDecoder()
        #expect(try decoder.decode(Document.self, from: Data(ours)) == document)
        let values = try [Data(ours), theirs].map {
            try JSONSerialization.jsonObject(with: $0) as? NSDictionary
        }
        #expect(values[0] != nil && values[0] == values[1])
        #expect(
            String(data: ours, encoding: TextEncoding.utf8)?.hasPrefix("{\n  \"byte\" : 255,\n")
                == true)
    }

    @Test("A number with a fraction is refused")
    func refuses() {
        #expect(throws: EncodingError.self) { try ParserFoundation.JSONEncoder().encode([0.5]) }
    }

    @Test("An error without words of its own has none")
    func describes() {
        struct Silent: ParserFoundation.LocalizedError {}
        #expect(Silent().errorDescription == nil)
    }
}

/// One of each kind that Swift's `Encodable` knows.
private struct Document: Codable, Equatable {
    enum Kind: String, Codable { case flag, option }
    enum Completion: Codable, Equatable {
        case none
        case list(values: [String])
        case command(String)
    }

    var text = "a \"quoted\" \\ / \n \u{1} é line"
    var truth = true
    var number = -42
    var byte: UInt8 = 255
    var nothing: String?
    var null: [Int?] = [1, nil]
    var kinds = [Kind.flag, .option]
    var completions = [Completion.none, .list(values: ["a", ""]), .command("ls")]
    var lists = [[1, 2], []]
    var words = ["one": "1", "two": "2"]
    var none: [String: Int] = [:]
}
