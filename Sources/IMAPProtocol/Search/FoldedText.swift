// Text in the form in which SEARCH compares it, and a search in it that is linear whatever both texts are.

/// UTF-8 with every letter small; accents stay (RFC 3501 §6.4.4 asks for case alone).
struct FoldedText: Hashable, Sendable {
    let bytes: [UInt8]

    init(_ utf8: some Collection<UInt8>) {
        guard utf8.contains(where: { $0 >= 0x80 }) else {
            bytes = utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
            return
        }
        var folded: [UInt8] = []
        folded.reserveCapacity(utf8.count)
        for scalar in String(decoding: Array(utf8), as: UTF8.self).unicodeScalars {
            folded += scalar.properties.lowercaseMapping.utf8
        }
        bytes = folded
    }
}

/// A text to look for, prepared once for many messages (Knuth, Morris and Pratt).
struct TextPattern: Sendable {
    private let pattern: [UInt8]
    /// For each prefix, the length of its longest proper prefix that is also its suffix.
    private let borders: [Int]

    init(_ utf8: [UInt8]) {
        let pattern = FoldedText(utf8).bytes
        var borders = [Int](repeating: 0, count: pattern.count)
        var length = 0
        for index in pattern.indices.dropFirst() {
            while length > 0, pattern[index] != pattern[length] { length = borders[length - 1] }
            if pattern[index] == pattern[length] { length += 1 }
            borders[index] = length
        }
        self.pattern = pattern
        self.borders = borders
    }

    /// The empty text is in every text.
    func isFound(in text: FoldedText) -> Bool {
        guard !pattern.isEmpty else { return true }
        var length = 0
        for byte in text.bytes {
            while length > 0, byte != pattern[length] { length = borders[length - 1] }
            if byte == pattern[length] { length += 1 }
            if length == pattern.count { return true }
        }
        return false
    }
}
