// Which keyword a letter a-z means in a folder. A letter keeps its meaning for as long as a message may carry it.

/// The keywords of one folder by letter.
package struct KeywordTable: Hashable, Sendable {
    /// 26 places; nil is free.
    private var names: [[UInt8]?] = Array(repeating: nil, count: MessageFlags.keywordCount)

    package init() {}

    /// Letter and keyword of each, in the order of the letters.
    package var all: [(index: Int, keyword: [UInt8])] {
        names.enumerated().compactMap { index, name in name.map { (index, $0) } }
    }

    /// The keyword of a letter's index; one that has none is shown by its letter, so that no flag of others is lost.
    package func keyword(at index: Int) -> [UInt8] {
        guard names.indices.contains(index) else { return [] }
        return names[index] ?? Array("x-maildir-".utf8) + [0x61 + UInt8(index)]
    }

    /// The index of a keyword, ASCII case ignored (RFC 9051 §2.3.2); nil if it has none.
    package func index(of keyword: [UInt8]) -> Int? {
        if let known = names.firstIndex(where: { $0.map { KeywordTable.same($0, keyword) } ?? false }) { return known }
        let shown = Array("x-maildir-".utf8)
        guard keyword.count == shown.count + 1, KeywordTable.same(Array(keyword.dropLast()), shown), let letter = keyword.last,
            (0x61...0x7A).contains(letter | 0x20)
        else { return nil }
        let index = Int((letter | 0x20) - 0x61)
        return names[index] == nil ? index : nil
    }

    /// Gives the keyword a letter that neither the table nor any message uses; nil if there is none.
    package mutating func add(_ keyword: [UInt8], inUse: MessageFlags) -> Int? {
        guard KeywordTable.isKeyword(keyword) else { return nil }
        if let known = index(of: keyword) { return known }
        let used = Set(inUse.keywordIndexes)
        let free = names.indices.first { names[$0] == nil && !used.contains($0) } ?? names.indices.first { !used.contains($0) }
        guard let free else { return nil }
        names[free] = keyword
        return free
    }

    /// The names for the keywords of `flags`.
    package func keywords(of flags: MessageFlags) -> [[UInt8]] { flags.keywordIndexes.map(keyword(at:)) }

    /// `a $Forwarded`, as the state file has it.
    mutating func read(_ line: [UInt8]) -> Bool {
        guard line.count > 2, line[1] == 0x20, (0x61...0x7A).contains(line[0]), KeywordTable.isKeyword(Array(line[2...]))
        else { return false }
        names[Int(line[0] - 0x61)] = Array(line[2...])
        return true
    }

    var lines: [[UInt8]] { all.map { [0x61 + UInt8($0.index), 0x20] + $0.keyword } }

    /// Takes the table that Dovecot keeps as `dovecot-keywords`: lines `0 $Forwarded`. What is no such line is skipped.
    mutating func adopt(dovecot text: [UInt8]) {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let space = line.firstIndex(of: 0x20), let index = canonicalDecimal(line[..<space], limit: 25) else { continue }
            let name = Array(line[(space + 1)...])
            if KeywordTable.isKeyword(name) { names[Int(index)] = name }
        }
    }

    /// `flag-keyword` is an atom (RFC 9051 §9): printable ASCII without what IMAP reserves.
    private static func isKeyword(_ name: [UInt8]) -> Bool {
        let reserved = Array("(){ %*\"\\]".utf8)
        return (1...100).contains(name.count) && name.allSatisfy { $0 > 0x20 && $0 < 0x7F && !reserved.contains($0) }
    }

    private static func same(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        func fold(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
        return a.count == b.count && zip(a, b).allSatisfy { fold($0) == fold($1) }
    }
}
