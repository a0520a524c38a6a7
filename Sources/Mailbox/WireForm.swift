// Files of other software end their lines with LF; what goes over the wire ends them with CRLF. Bare CRs stay.

/// Converts LF to CRLF, any split of the input giving the same output.
package struct WireForm: Sendable {
    /// Whether the last byte so far was a CR.
    private var afterCR = false

    package init() {}

    package mutating func convert(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        for byte in bytes {
            if byte == 0x0A, !afterCR { out.append(0x0D) }
            out.append(byte)
            afterCR = byte == 0x0D
        }
    }

    /// The size after conversion alone.
    package mutating func count(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = bytes.count
        for byte in bytes {
            if byte == 0x0A, !afterCR { count += 1 }
            afterCR = byte == 0x0D
        }
        return count
    }
}
