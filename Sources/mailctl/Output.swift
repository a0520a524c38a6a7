// Where words go: results to stdout, everything else to stderr.

import Kernel

enum Output {
    /// A line of the result.
    static func line(_ text: String) { writeToStandardOutput(Array((text + "\n").utf8)) }

    static func json(_ value: JSONValue) { line(value.page) }

    /// What a person may want to know and a script does not.
    static func note(_ text: String) { writeToStandardError(Array("mailctl: \(text)\n".utf8)) }

    static func complain(_ failure: Failure, json: Bool) {
        if json {
            let value = JSONValue.object([
                "error": .text(failure.what), "remedy": .text(failure.remedy), "status": .number(Int(failure.status.rawValue)),
            ])
            writeToStandardError(Array("\(value)\n".utf8))
        } else {
            writeToStandardError(Array("mailctl: \(failure.what)\n  \(failure.remedy)\n".utf8))
        }
    }

    /// Rows in columns as wide as their widest cell.
    static func table(_ header: [String], _ rows: [[String]]) {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        for row in all {
            let cells = row.indices.map { index in
                index == row.count - 1 ? row[index] : row[index] + String(repeating: " ", count: widths[index] - row[index].count)
            }
            line(cells.joined(separator: "  "))
        }
    }
}
