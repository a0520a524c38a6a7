// Finding line ends, the step under every parser here. Invariant: each byte is looked at once, eight at a time.

private let ones: UInt64 = 0x0101_0101_0101_0101
private let highs: UInt64 = 0x8080_8080_8080_8080

/// The index of the first LF in `bytes[from..<to]`, or `to`.
///
/// Reads words: a message is mostly lines of 60 to 70 bytes in which nothing else matters.
package func lineFeed(in bytes: UnsafeRawBufferPointer, from: Int, to: Int) -> Int {
    var index = from
    while to - index >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let difference = word ^ (ones &* 0x0A)
        let found = (difference &- ones) & ~difference & highs
        if found != 0 { return index + found.trailingZeroBitCount / 8 }
        index += 8
    }
    while index < to, bytes[index] != 0x0A { index += 1 }
    return index
}

/// One line of a buffer: its content without the line end, and where the next line begins.
struct Line {
    let content: Range<Int>
    let next: Int
    var isBlank: Bool { content.isEmpty }
}

/// Cuts `range` of `bytes` into lines ended by CRLF or LF; a CR elsewhere is content.
struct LineReader {
    let bytes: UnsafeRawBufferPointer
    let end: Int
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    mutating func next() -> Line? {
        guard position < end else { return nil }
        let start = position
        let feed = lineFeed(in: bytes, from: start, to: end)
        position = Swift.min(feed + 1, end)
        let hasReturn = feed < end && feed > start && bytes[feed - 1] == 0x0D
        return Line(content: start..<(hasReturn ? feed - 1 : feed), next: position)
    }
}
