// The common shape of our state files: a line with kind and version, lines `key value`, a last line `end`.
// A file without its `end` or of another version is not read at all; keys that we do not know are kept.

/// The lines of a state file.
struct StateFile {
    struct Line: Hashable, Sendable {
        let key: [UInt8]
        let value: [UInt8]
    }

    let kind: String
    var lines: [Line] = []

    init(kind: String) { self.kind = kind }

    /// Nil unless the whole is in the format and of the one version that we write.
    init?(kind: String, parsing text: [UInt8]) {
        self.kind = kind
        let rows = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard rows.count >= 3, let last = rows.last, last.isEmpty, rows[rows.count - 2].elementsEqual("end".utf8),
            rows[0].elementsEqual("\(kind) 1".utf8)
        else { return nil }
        for row in rows[1..<(rows.count - 2)] {
            guard let space = row.firstIndex(of: UInt8(ascii: " ")), space > row.startIndex else { return nil }
            lines.append(Line(key: Array(row[..<space]), value: Array(row[(space + 1)...])))
        }
    }

    mutating func add(_ key: String, _ value: [UInt8]) { lines.append(Line(key: Array(key.utf8), value: value)) }

    var text: [UInt8] {
        var out = Array("\(kind) 1\n".utf8)
        for line in lines { out += line.key + [UInt8(ascii: " ")] + line.value + [UInt8(ascii: "\n")] }
        return out + Array("end\n".utf8)
    }
}
