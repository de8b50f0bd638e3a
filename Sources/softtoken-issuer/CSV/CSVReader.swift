// CSV (RFC 4180) a row at a time, in the memory of one row: commas, or semicolons where the first row
// has them (a European Excel's), quotation marks, CRLF or LF, a byte order mark at the start. A bad row is told with its line and the reading goes on.
import Linux
import SoftTokenCore

/// A row, or what is wrong with it.
struct CSVRow: Sendable {
    /// The line on which it begins, from 1.
    let line: Int
    let fields: Result<[String], Failure>
}

/// Rows of a file, read when they are asked for.
struct CSVReader: ~Copyable {
    /// A row longer than this is no row.
    private static let maximumRowByteCount = 1 << 16

    private let file: Descriptor
    private var buffer: [UInt8] = []
    private var position = 0
    private var line = 1
    private var separator = UInt8(ascii: ",")
    /// How many bytes were taken: for the progress bar.
    private(set) var byteCount = 0

    init(_ file: consuming Descriptor) { self.file = file }

    /// The rows of a file that the user named; `-` is standard input.
    init(named path: String) throws(Failure) {
        self.init(
            try fromSystem(
                path == "-"
                    ? try Descriptor(duplicating: 0, path: "standard input") : try openInput(path)))
    }

    /// How long the file is; nil for a pipe.
    var totalByteCount: Int? { file.plainByteCount }

    /// The next row that isn't empty.
    ///
    /// - Returns: nil at the end.
    mutating func next() throws(Failure) -> CSVRow? {
        if byteCount == 0 {
            try skipByteOrderMark()
            findSeparator()
        }
        while try peek() != nil {
            let row = try row()
            if (try? row.fields.get()) != [""] { return row }
        }
        return nil
    }

    private mutating func row() throws(Failure) -> CSVRow {
        let first = line
        var fields: [String?] = []
        var isWhole = true
        let start = byteCount
        var end: UInt8? = separator
        while end == separator {
            let field = try field(&isWhole, ofRowAt: start)
            if isWhole { fields.append(String(validating: field.bytes, as: UTF8.self)) }
            end = field.end
        }
        guard isWhole else { return CSVRow(line: first, fields: .failure(.notCSV)) }
        let texts = fields.compactMap(\.self)
        return CSVRow(
            line: first,
            fields: texts.count == fields.count ? .success(texts) : .failure(.notUTF8))
    }

    /// A field and what ended it: a comma, a line feed, or nil for the end of the file.
    private mutating func field(
        _ isWhole: inout Bool, ofRowAt start: Int
    ) throws(Failure) -> (bytes: [UInt8], end: UInt8?) {
        var bytes: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        while let byte = try nextByte() {
            if byteCount - start > CSVReader.maximumRowByteCount {
                isWhole = false
                bytes.removeAll(keepingCapacity: true)
            }
            switch byte {
            case quotationMark where isQuoted:
                if try peek() == quotationMark {
                    bytes.append(byte)
                    _ = try nextByte()
                } else {
                    isQuoted = false
                }
            case _ where isQuoted: bytes.append(byte)
            case quotationMark where bytes.isEmpty && !wasQuoted:
                isQuoted = true
                wasQuoted = true
            case separator: return (bytes, byte)
            case UInt8(ascii: "\n"): return (bytes, byte)
            case UInt8(ascii: "\r") where try peek() == UInt8(ascii: "\n"): continue
            default:
                // A quotation mark stands at the beginning, and nothing behind the closing one.
                if wasQuoted || byte == quotationMark { isWhole = false }
                bytes.append(byte)
            }
        }
        if isQuoted { isWhole = false }
        return (bytes, nil)
    }

    private mutating func nextByte() throws(Failure) -> UInt8? {
        guard let byte = try peek() else { return nil }
        position += 1
        byteCount += 1
        if byte == UInt8(ascii: "\n") { line += 1 }
        return byte
    }

    private mutating func peek() throws(Failure) -> UInt8? {
        if position == buffer.count {
            buffer = try fromSystem(try file.nextBytes(limit: 1 << 16))
            position = 0
        }
        return position < buffer.count ? buffer[position] : nil
    }

    /// The first row that isn't empty has names, in which neither stands unless in quotation marks.
    private mutating func findSeparator() {
        var isQuoted = false
        let lineEnds = Array("\r\n".utf8)
        for byte in buffer[position...].drop(while: { lineEnds.contains($0) }) {
            switch byte {
            case quotationMark: isQuoted.toggle()
            case _ where isQuoted: continue
            case UInt8(ascii: ","):
                separator = byte
                return
            case UInt8(ascii: ";"): separator = byte
            case UInt8(ascii: "\n"): return
            default: continue
            }
        }
    }

    private mutating func skipByteOrderMark() throws(Failure) {
        _ = try peek()
        guard position < buffer.count, buffer.starts(with: [0xEF, 0xBB, 0xBF]) else { return }
        position = 3
        byteCount = 3
    }
}

extension Failure {
    /// RFC 4180 §2.5.
    static let notCSV = Failure(
        .rejected,
        "it is not CSV: a quotation mark isn't closed, something (a space, too) stands outside of a "
            + "field's marks, or the row has over 64 KiB")
    static let notUTF8 = Failure(.rejected, "it is not UTF-8: save the file as CSV UTF-8")
}

extension Descriptor {
    /// How long a plain file is; nil for anything else.
    var plainByteCount: Int? {
        guard let attributes = try? attributes(), attributes.isRegularFile else { return nil }
        return attributes.byteCount
    }
}

private let quotationMark = UInt8(ascii: "\"")

/// A field as it is written: quoted where it has to be, for readers that part by semicolons too. A
/// spreadsheet takes a field that begins like a formula for one: an apostrophe stands before it
/// (OWASP, CSV Injection). One that begins so behind apostrophes gets one more, so that no two fields
/// come out as one.
func csvField(_ text: String) -> String { csvQuoted(withoutFormula(text)) }

func withoutFormula(_ text: String) -> String {
    let first = text.unicodeScalars.drop { $0 == "'" }.first
    return first.map { formulaMarks.contains($0) } ?? false ? "'" + text : text
}

/// `=`, `+`, `-`, `@`, tab, carriage return, line feed, and the wide forms of the first four.
private let formulaMarks = Array("=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars)

private func csvQuoted(_ text: String) -> String {
    guard text.utf8.contains(where: { Array("\",;\r\n".utf8).contains($0) }) else { return text }
    // By scalar: with what combines with it a quotation mark is another character.
    let parts = text.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.map { String($0) }.joined(separator: "\"\"") + "\""
}
