// `issue --csv`: a link a row, in the memory of one row. A bad row is told with its line; the others
// are made. Bound by CONTRACT §6 and DESIGN §11 (flat memory, bound by Ed25519 and disk).
import OTP
import ProgramSupport
import SoftTokenCore

extension Issue {
    /// Makes the links of a CSV file.
    ///
    /// - Throws: `Failure`; 65 where a row was rejected, after the others were made.
    func makeAll(of csv: String, _ out: String, _ maker: LinkMaker) throws(Failure) {
        var rows = try CSVReader(named: csv)
        let columns = try columns(in: &rows)
        for name in columns.ignored {
            output.warning("the column \(name) is not known and is ignored")
        }
        let run = try BulkRun(
            out, options: link, letters: one.delivery.letters, maker: maker, source: csv,
            byteCount: rows.totalByteCount)
        while let row = try rows.next() {
            let place = "line \(row.line)"
            let order: TokenOrder
            do throws(Failure) {
                order = try columns.order(try row.fields.get(), token: token, terms: link.terms)
            } catch {
                run.reject(place, error)
                continue
            }
            try run.make(
                order, seed: try TokenOrder.drawnSeed(order.parameters.algorithm), place: place,
                read: rows.byteCount)
        }
        try run.finish()
    }
}

private func columns(in rows: inout CSVReader) throws(Failure) -> CSVColumns {
    let hint =
        "account is needed; serial, type, algorithm, digits, period may follow, and request with "
        + "verification"
    guard let head = try rows.next() else {
        throw .rejected("the file has no row that names the columns", hint: hint)
    }
    do throws(Failure) { return try CSVColumns(try head.fields.get()) } catch {
        throw .rejected(
            "the first row doesn't name the columns: \(error.message ?? "")", hint: hint)
    }
}
