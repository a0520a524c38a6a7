// Finding line ends in long texts. Invariant: each byte is looked at once, eight at a time.

private let ones: UInt64 = 0x0101_0101_0101_0101
private let highs: UInt64 = 0x8080_8080_8080_8080

/// The index of the first LF in `bytes[from...]`, or `bytes.count`.
func lineFeed(in bytes: UnsafeRawBufferPointer, from: Int) -> Int {
    var index = from
    while bytes.count - index >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let difference = word ^ (ones &* 0x0A)
        let found = (difference &- ones) & ~difference & highs
        if found != 0 { return index + found.trailingZeroBitCount / 8 }
        index += 8
    }
    while index < bytes.count, bytes[index] != 0x0A { index += 1 }
    return index
}
