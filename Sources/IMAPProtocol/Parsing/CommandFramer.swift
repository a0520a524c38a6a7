// Bytes to complete commands. Holds at most one command and what was read behind it; decides nothing itself:
// each literal is announced, and the machine says whether to keep, stream or skip it.

internal import MailModel

/// Cuts what a client sends into commands with their literals, streamed literals, and plain lines.
package struct CommandFramer: Sendable {
    /// In octets.
    package struct Limits: Hashable, Sendable {
        /// A command without its literals' content, line ends included.
        package let line: Int
        /// All literals of one command together.
        package let literals: Int

        package init(line: Int, literals: Int) {
            self.line = line
            self.literals = literals
        }

        package static let beforeLogin = Limits(line: 8 * 1024, literals: 4 * 1024)
        package static let afterLogin = Limits(line: 64 * 1024, literals: 128 * 1024)
    }

    package struct Literal: Hashable, Sendable {
        package let size: Int
        /// The client waits for `+` before it sends the content (RFC 3501 §4.3); if not, RFC 7888.
        package let isSynchronizing: Bool
    }

    package enum Event: Hashable, Sendable {
        /// A whole command, literals in place, without the last line end.
        case command([UInt8])
        /// A command stops for this literal; `text` is all of it up to here. Answer with `keep`, `stream` or `skip`.
        case literal(Literal, text: [UInt8])
        /// A line that ends in a bare LF, without it.
        case bareLineFeed([UInt8])
        /// Longer than the limit; nothing that follows can be understood.
        case tooLong
    }

    private enum State: Hashable, Sendable {
        case line
        /// Announced, and the machine has not yet decided.
        case announced(Literal)
        case keeping(remaining: Int)
        case streaming(remaining: Int)
        case skipping(remaining: Int)
        /// The rest of a command of which a literal was skipped.
        case skippingLine
        case broken
    }

    private let limits: Limits
    private var buffer: [UInt8] = []
    /// Where the unread part of `buffer` begins.
    private var start = 0
    /// Up to where `buffer` is known to hold no LF, so that slow input is not searched twice.
    private var searched = 0
    private var text: [UInt8] = []
    private var literalBytes = 0
    private var state = State.line

    package init(limits: Limits) { self.limits = limits }

    /// How many bytes wait to be framed.
    package var unread: Int { buffer.count - start }

    /// Whether the client has begun a command that is not complete.
    package var isInsideCommand: Bool { unread > 0 || !text.isEmpty || state != .line }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            searched = max(0, searched - start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Forgets everything that was read, as STARTTLS must (RFC 3501 §6.2.1).
    package mutating func reset() {
        self = CommandFramer(limits: limits)
    }

    /// Hands over what was read behind the last command.
    package mutating func takeUnread() -> [UInt8] {
        defer { reset() }
        return Array(buffer[start...])
    }
}

extension CommandFramer {
    /// The next event, or nil if more bytes, or a decision about a literal, are needed.
    package mutating func next() -> Event? {
        while true {
            switch state {
            case .line:
                return readLine()
            case .keeping(let remaining):
                let chunk = take(upTo: remaining)
                text += chunk
                guard chunk.count == remaining else { state = .keeping(remaining: remaining - chunk.count); return nil }
                state = .line
            case .skipping(let remaining):
                let skipped = take(upTo: remaining).count
                guard skipped == remaining else { state = .skipping(remaining: remaining - skipped); return nil }
                state = .skippingLine
            case .skippingLine:
                guard skipLine() else { return state == .broken ? .tooLong : nil }
            case .announced, .streaming, .broken: return nil
            }
        }
    }

    /// A line without regard to literals: a SASL response, or DONE. Its line end is cut off.
    package mutating func nextLine() -> Event? {
        guard state == .line else { return nil }
        guard let end = lineFeed() else { return unread > limits.line ? fail() : nil }
        guard end - start <= limits.line else { return fail() }
        let line = buffer[start..<end]
        advance(to: end + 1)
        return line.last == 0x0D ? .command(Array(line.dropLast())) : .bareLineFeed(Array(line))
    }

    /// Takes an announced literal into the command's text. False if the command would grow too large.
    package mutating func keep() -> Bool {
        guard case .announced(let literal) = state, literal.size <= limits.literals - literalBytes else { return false }
        literalBytes += literal.size
        state = .keeping(remaining: literal.size)
        return true
    }

    /// Gives an announced literal piece by piece; the command's text so far is done with.
    package mutating func stream() {
        guard case .announced(let literal) = state else { return }
        text = []
        state = .streaming(remaining: literal.size)
    }

    /// Gives up the command: a literal that comes anyway is read over, and so is the rest of the command.
    package mutating func skip() {
        switch state {
        case .announced(let literal):
            state = literal.isSynchronizing ? .line : .skipping(remaining: literal.size)
        case .streaming(let remaining):
            state = .skipping(remaining: remaining)
        case .line, .keeping, .skipping, .skippingLine, .broken: return
        }
        text = []
        literalBytes = 0
    }

    /// The next piece of a streamed literal, at most `limit` bytes; empty if none is there yet; nil at its end.
    package mutating func nextChunk(limit: Int) -> [UInt8]? {
        guard case .streaming(let remaining) = state else { return nil }
        guard remaining > 0 else {
            state = .line
            return nil
        }
        let chunk = take(upTo: min(remaining, limit))
        state = .streaming(remaining: remaining - chunk.count)
        return Array(chunk)
    }
}

extension CommandFramer {
    /// Reads one line into the text; nil if no whole line is there.
    private mutating func readLine() -> Event? {
        guard let end = lineFeed() else {
            return text.count - literalBytes + unread > limits.line ? fail() : nil
        }
        let line = buffer[start..<end]
        guard text.count - literalBytes + line.count < limits.line else { return fail() }
        text += line
        advance(to: end + 1)
        guard line.last == 0x0D else { return .bareLineFeed(takeText()) }
        if let literal = announcement(in: line.dropLast()) {
            text.append(0x0A)
            state = .announced(literal)
            return .literal(literal, text: text)
        }
        text.removeLast()
        return .command(takeText())
    }

    private mutating func takeText() -> [UInt8] {
        defer {
            text = []
            literalBytes = 0
        }
        return text
    }

    /// False if no whole line is there.
    private mutating func skipLine() -> Bool {
        guard let end = lineFeed() else {
            if unread > limits.line { _ = fail() }
            return false
        }
        let line = buffer[start..<end]
        advance(to: end + 1)
        if line.last == 0x0D, let literal = announcement(in: line.dropLast()), !literal.isSynchronizing {
            state = .skipping(remaining: literal.size)
        } else {
            state = .line
        }
        return true
    }

    /// `{n}` or `{n+}` at the end of a line. Nothing valid ends in `}` otherwise.
    private func announcement(in line: ArraySlice<UInt8>) -> Literal? {
        guard line.last == UInt8(ascii: "}"), let open = line.lastIndex(of: UInt8(ascii: "{")) else { return nil }
        var digits = line[(open + 1)...].dropLast()
        let isSynchronizing = digits.last != UInt8(ascii: "+")
        if !isSynchronizing { digits.removeLast() }
        // A number beyond 18 digits is no size; the parser will say so.
        guard let size = digits.decimalValue else { return nil }
        return Literal(size: size, isSynchronizing: isSynchronizing)
    }

    private mutating func fail() -> Event {
        self = CommandFramer(limits: limits)
        state = .broken
        return .tooLong
    }

    private mutating func lineFeed() -> Int? {
        let from = max(start, searched)
        let found = buffer[from...].firstIndex(of: 0x0A)
        searched = found ?? buffer.count
        return found
    }

    private mutating func take(upTo count: Int) -> [UInt8] {
        let end = min(buffer.count, start + min(count, buffer.count))
        defer { advance(to: end) }
        return Array(buffer[start..<end])
    }

    private mutating func advance(to index: Int) {
        start = index
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 64 * 1024)
            start = 0
            searched = 0
        }
    }
}
