// The content of DATA: only CRLF.CRLF ends it, whatever any other server thinks (SMTP smuggling, CVE-2023-51764).
// Bare CR or LF spoils the whole message; it is read to its true end and refused, never repaired.

/// Unstuffs dots and finds the end of content (RFC 5321 §4.5.2), in chunks of any size.
package struct ContentFramer: Sendable {
    package enum Fault: Sendable, Equatable { case bareCR, bareLF, tooBig }

    /// Octets of content so far, dots unstuffed, line ends counted (RFC 1870 §5).
    package private(set) var size = 0
    /// Why the message will be refused: the first thing wrong with it. Nothing is given out after it.
    package private(set) var fault: Fault?
    package private(set) var isComplete = false
    package private(set) var header = HeaderSection()

    private let limit: Int
    private var state = State.lineStart

    private enum State: Sendable {
        case lineStart
        case middle
        /// After a CR that is content.
        case carriageReturn
        /// After a dot that began a line and is not content.
        case dot
        /// After that dot and a CR, which is content only if no LF follows.
        case dotCarriageReturn
    }

    package init(limit: Int) { self.limit = limit }

    /// Appends the content in `bytes` to `content`; returns how many bytes it used: all, unless the end was among them.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer, into content: inout [UInt8]) -> Int {
        var at = 0
        while at < bytes.count, !isComplete {
            let run = plainRun(bytes, from: at)
            if run > 0 {
                emit(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + run)]), into: &content)
                at += run
                state = ContentFramer.state(after: bytes[at - 1])
            } else {
                step(bytes[at], into: &content)
                at += 1
            }
        }
        return at
    }

    /// How many bytes from `at` are content as they stand.
    private func plainRun(_ bytes: UnsafeRawBufferPointer, from at: Int) -> Int {
        switch state {
        case .dot, .dotCarriageReturn: return 0
        case .carriageReturn: if bytes[at] != 10 { return 0 }
        case .lineStart: if bytes[at] == UInt8(ascii: ".") || bytes[at] == 10 { return 0 }
        case .middle: if bytes[at] == 10 { return 0 }
        }
        return LineScan.plainPrefix(UnsafeRawBufferPointer(rebasing: bytes[at...]))
    }

    /// `LineScan` ends a run only behind a byte that says where we are.
    private static func state(after byte: UInt8) -> State {
        switch byte {
        case 13: .carriageReturn
        case 10: .lineStart
        default: .middle
        }
    }

    private mutating func step(_ byte: UInt8, into content: inout [UInt8]) {
        switch state {
        case .lineStart where byte == UInt8(ascii: "."):
            state = .dot
        case .dot where byte == 13:
            state = .dotCarriageReturn
        case .dotCarriageReturn where byte == 10:
            isComplete = true
        case .dotCarriageReturn:
            refuse(.bareCR)
            state = byte == 13 ? .carriageReturn : .middle
        case .carriageReturn where byte != 10:
            refuse(.bareCR)
            take(byte, into: &content)
        case .lineStart, .middle, .dot:
            if byte == 10 { refuse(.bareLF) }
            take(byte, into: &content)
            // A bare LF ends no line: the dot after it is a dot.
            if byte == 10 { state = .middle }
        case .carriageReturn:
            take(byte, into: &content)
        }
    }

    private mutating func take(_ byte: UInt8, into content: inout [UInt8]) {
        state = ContentFramer.state(after: byte)
        withUnsafeBytes(of: byte) { emit($0, into: &content) }
    }

    private mutating func emit(_ bytes: UnsafeRawBufferPointer, into content: inout [UInt8]) {
        size += bytes.count
        if size > limit { refuse(.tooBig) }
        guard fault == nil else { return }
        if !header.isOver { header.take(bytes) }
        content.append(contentsOf: bytes)
    }

    private mutating func refuse(_ reason: Fault) { fault = fault ?? reason }
}
