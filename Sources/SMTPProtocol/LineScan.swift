// The one hot loop of receiving mail: 16 bytes at a time, no branch for a line end that is as it should be.

/// Finds how far content can be copied without looking at single bytes.
enum LineScan {
    private typealias Block = SIMD16<UInt8>
    private static let width = 16

    /// The length of a prefix in which each CR is followed by LF, each LF preceded by CR (the first byte apart),
    /// and no dot begins a line.
    ///
    /// Stops early, at 0 even, near any of these or near the end. The byte behind the prefix has been judged
    /// only against the last byte within it.
    static func plainPrefix(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard bytes.count > width, let base = bytes.baseAddress else { return singly(bytes, from: 0) }
        // Vector against vector: the operators that take a scalar are not specialised, and a hundred times slower.
        let (carriageReturns, newlines, dots) = (
            Block(repeating: 13), Block(repeating: 10), Block(repeating: UInt8(ascii: "."))
        )
        var at = 0
        while at + width < bytes.count {
            let here = base.loadUnaligned(fromByteOffset: at, as: Block.self)
            let next = base.loadUnaligned(fromByteOffset: at + 1, as: Block.self)
            let unpaired = (here .== carriageReturns) .^ (next .== newlines)
            let dotted = (here .== newlines) .& (next .== dots)
            if isAny(unpaired .| dotted) { break }
            at += width
        }
        return at > 0 ? at : singly(bytes, from: 0)
    }

    /// The same judgement byte by byte, for what is left before something to look at; at most one block.
    private static func singly(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var at = start
        let end = min(bytes.count - 1, start + width)
        while at < end {
            let (here, next) = (bytes[at], bytes[at + 1])
            if (here == 13) != (next == 10) || (here == 10 && next == UInt8(ascii: ".")) { break }
            at += 1
        }
        return at
    }

    @inline(__always)
    private static func isAny(_ mask: SIMDMask<SIMD16<Int8>>) -> Bool {
        let words = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
        return words.x | words.y != 0
    }
}
