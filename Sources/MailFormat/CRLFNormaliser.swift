// Wire form of files that others wrote: every LF becomes CRLF. Invariant: chopping the input changes nothing.

/// Turns lone LF to CRLF in a stream, and counts lines.
package struct CRLFNormaliser: Sendable {
    /// What to do with a CR that no LF follows.
    package enum BareCarriageReturn: Sendable {
        /// Keep it: stored mail is shown as it is.
        case keep
        /// Make it a line end: mail that goes out must not hold one (RFC 5321 §2.3.8).
        case lineEnd
    }

    private let bareReturn: BareCarriageReturn
    /// Whether the last byte was a CR that is already in the output.
    private var afterReturn = false
    /// Line ends written so far.
    package private(set) var lineCount = 0
    /// Whether the output is empty or ends with a line end.
    package private(set) var endsLine = true

    package init(bareReturn: BareCarriageReturn = .keep) { self.bareReturn = bareReturn }

    /// Appends the wire form of `chunk` to `out`.
    package mutating func append(_ chunk: [UInt8], to out: inout [UInt8]) {
        chunk.withUnsafeBytes { append($0, to: &out) }
    }

    package mutating func append(_ chunk: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        switch bareReturn {
        case .keep: appendKeeping(chunk, to: &out)
        case .lineEnd: appendEndingLines(chunk, to: &out)
        }
    }

    /// Ends a last line that has no end, if `endLine` asks for it.
    package mutating func finish(endLine: Bool, to out: inout [UInt8]) {
        if bareReturn == .lineEnd, afterReturn {
            out.append(0x0A)
            lineCount += 1
            endsLine = true
        } else if endLine, !endsLine {
            out += [0x0D, 0x0A]
            lineCount += 1
            endsLine = true
        }
        afterReturn = false
    }

    /// Copies whole ranges; only a lone LF interrupts one.
    private mutating func appendKeeping(_ chunk: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        guard let last = chunk.last else { return }
        var copied = 0
        var index = lineFeed(in: chunk, from: 0, to: chunk.count)
        while index < chunk.count {
            let hasReturn = index > 0 ? chunk[index - 1] == 0x0D : afterReturn
            if !hasReturn {
                out.append(contentsOf: chunk[copied..<index])
                out.append(0x0D)
                copied = index
            }
            lineCount += 1
            index = lineFeed(in: chunk, from: index + 1, to: chunk.count)
        }
        out.append(contentsOf: chunk[copied...])
        afterReturn = last == 0x0D
        endsLine = last == 0x0A
    }

    private mutating func appendEndingLines(_ chunk: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        for byte in chunk {
            if byte == 0x0A {
                if !afterReturn { out.append(0x0D) }
                out.append(0x0A)
                lineCount += 1
            } else {
                if afterReturn { out.append(0x0A); lineCount += 1 }
                out.append(byte)
            }
            afterReturn = byte == 0x0D
            endsLine = byte == 0x0A
        }
    }
}

/// The wire form of a whole text.
package func wireForm(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + bytes.count / 32)
    var normaliser = CRLFNormaliser()
    normaliser.append(bytes, to: &out)
    return out
}
