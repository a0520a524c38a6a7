// A message as the body of a multi-line response. Invariant: what is written has CRLF lines only where the
// message has lines, no line of it is the end mark, and chopping the input changes nothing.

/// Stuffs dots and turns lone LF to CRLF (RFC 1939 §3), chunk by chunk.
package struct MultilineEncoder: Sendable {
    /// The last byte that was read; a message begins as if after a line end.
    private var last: UInt8 = 0x0A
    /// Octets that the body has so far without the dots added: what STAT and LIST call its size.
    package private(set) var size = 0

    package init() {}

    /// Appends the encoded form of `chunk`. Whole ranges are copied; only a dot or a lone LF interrupts one.
    package mutating func append(_ chunk: some Collection<UInt8>, to out: inout [UInt8]) {
        let done: Void? = chunk.withContiguousStorageIfAvailable { append(UnsafeRawBufferPointer($0), to: &out) }
        if done == nil { Array(chunk).withUnsafeBytes { append($0, to: &out) } }
    }

    /// Ends a last line that has no end, then the response.
    package mutating func finish(to out: inout [UInt8]) {
        if last != 0x0A {
            out += [0x0D, 0x0A]
            size += 2
        }
        last = 0x0A
        out += [UInt8(ascii: "."), 0x0D, 0x0A]
    }

    private mutating func append(_ chunk: UnsafeRawBufferPointer, to out: inout [UInt8]) {
        guard let first = chunk.first, let final = chunk.last else { return }
        size += chunk.count
        if last == 0x0A, first == UInt8(ascii: ".") { out.append(first) }
        var copied = 0
        var feed = lineFeed(in: chunk, from: 0)
        while feed < chunk.count {
            if (feed > 0 ? chunk[feed - 1] : last) != 0x0D {
                out.append(contentsOf: chunk[copied..<feed])
                out.append(0x0D)
                size += 1
                copied = feed
            }
            if feed + 1 < chunk.count, chunk[feed + 1] == UInt8(ascii: ".") {
                out.append(contentsOf: chunk[copied...feed])
                out.append(UInt8(ascii: "."))
                copied = feed + 1
            }
            feed = lineFeed(in: chunk, from: feed + 1)
        }
        out.append(contentsOf: chunk[copied...])
        last = final
    }
}
