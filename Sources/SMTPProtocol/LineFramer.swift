// Bytes to command lines: CRLF alone ends one, no byte is looked at twice,
// and a line without end costs constant memory.

/// Cuts a stream into lines; what is not a line is named, so that the reply can name it.
package struct LineFramer: Sendable {
    package enum Result: Sendable, Equatable {
        var isLine: Bool {
            if case .line = self { return true }
            return false
        }

        /// A line without its CRLF, free of CR and LF.
        case line([UInt8])
        /// Said once, when the limit is passed; the rest up to CRLF is dropped in silence.
        case tooLong
        /// A CR within a line that CRLF ended; nothing of the line is used.
        case bareCR
        /// An LF without CR: said at once, because a client that ends lines so waits now.
        /// The rest up to CRLF is dropped.
        case bareLF
        /// Too much was dropped without a CRLF: the connection is no use.
        case hopeless
    }

    private var buffer: [UInt8] = []
    private var start = 0
    private var scanned = 0
    private var dropped: Int?

    /// Dropped bytes of one line after which the framer gives up.
    package let dropLimit: Int

    package init(dropLimit: Int = 64 << 10) { self.dropLimit = dropLimit }

    /// Bytes held and not yet given out.
    package var count: Int { buffer.count - start }

    package mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(contentsOf: bytes) }

    /// Everything held, which then belongs to the caller (the start of a message's content), or to nobody (STARTTLS).
    package mutating func takeAll() -> [UInt8] {
        defer { (buffer, start, scanned, dropped) = ([], 0, 0, nil) }
        return start == 0 ? buffer : Array(buffer[start...])
    }

    /// At most so many bytes from the front of what is held: content between lines. Costs what it takes, however much is held.
    package mutating func take(_ limit: Int) -> [UInt8] {
        let end = start + min(max(limit, 0), count)
        let piece = Array(buffer[start..<end])
        advance(to: end)
        return piece
    }

    /// The next line of at most `limit` octets, its CRLF included (RFC 5321 §4.5.3.1.4); nil until more comes.
    package mutating func next(limit: Int) -> Result? {
        while true {
            guard let newline = newline() else { return withoutNewline(limit) }
            let line = buffer[start..<newline]
            let isCRLF = line.last == 13
            let length = newline + 1 - start
            if let already = dropped {
                advance(to: newline + 1)
                dropped = isCRLF ? nil : already + length
                if already + length > dropLimit { return .hopeless }
                continue
            }
            guard length <= limit else { return startDropping(at: newline, .tooLong) }
            guard isCRLF else { return startDropping(at: newline, .bareLF) }
            let text = Array(line.dropLast())
            advance(to: newline + 1)
            return text.contains(13) ? .bareCR : .line(text)
        }
    }

    /// Consumes nothing yet: what is dropped is then counted alike, however the line arrived.
    private mutating func startDropping(at newline: Int, _ result: Result) -> Result {
        dropped = 0
        scanned = newline
        return result
    }

    private mutating func newline() -> Int? {
        let found = buffer.withUnsafeBytes { bytes -> Int? in
            var index = scanned
            while index < bytes.count {
                if bytes[index] == 10 { return index }
                index += 1
            }
            return nil
        }
        scanned = found ?? buffer.count
        return found
    }

    /// A CR at the very end may belong to a CRLF whose LF is to come: it is held back when bytes are dropped.
    private mutating func withoutNewline(_ limit: Int) -> Result? {
        if let already = dropped {
            let keep = buffer.last == 13 && count > 0 ? 1 : 0
            let total = already + count - keep
            advance(to: buffer.count - keep)
            dropped = total
            return total > dropLimit ? .hopeless : nil
        }
        guard count > limit else { return nil }
        dropped = 0
        return .tooLong
    }

    private mutating func advance(to index: Int) {
        start = index
        scanned = max(scanned, index)
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 65536)
            (start, scanned) = (0, 0)
        } else if start > 4096, start > buffer.count / 2 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
        }
    }
}
