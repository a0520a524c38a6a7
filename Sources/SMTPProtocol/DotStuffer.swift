// Content on its way out: every line that begins with a dot gets another, and no bare CR or LF ever leaves us.

/// Makes content ready to follow DATA (RFC 5321 §4.5.2), in chunks of any size.
package struct DotStuffer: Sendable {
    private enum State: Sendable { case lineStart, middle, carriageReturn }
    private var state = State.lineStart

    package init() {}

    /// Appends `bytes`, stuffed, to `out`. A line end that is not CRLF becomes CRLF: what we relay cannot smuggle.
    package mutating func stuff(_ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) {
        var at = 0
        while at < bytes.count {
            let run = plainRun(bytes, from: at)
            if run > 0 {
                out.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[at..<(at + run)]))
                at += run
                state = DotStuffer.state(after: bytes[at - 1])
            } else {
                step(bytes[at], into: &out)
                at += 1
            }
        }
    }

    package mutating func stuff(_ bytes: ArraySlice<UInt8>, into out: inout [UInt8]) {
        bytes.withUnsafeBytes { stuff($0, into: &out) }
    }

    /// What ends the content: `.` CRLF, after the CRLF that the last line may lack.
    package mutating func finish() -> [UInt8] {
        defer { state = .lineStart }
        switch state {
        case .lineStart: return Array(".\r\n".utf8)
        case .middle: return Array("\r\n.\r\n".utf8)
        case .carriageReturn: return Array("\n.\r\n".utf8)
        }
    }

    private func plainRun(_ bytes: UnsafeRawBufferPointer, from at: Int) -> Int {
        switch state {
        case .carriageReturn: if bytes[at] != 10 { return 0 }
        case .lineStart: if bytes[at] == UInt8(ascii: ".") || bytes[at] == 10 { return 0 }
        case .middle: if bytes[at] == 10 { return 0 }
        }
        return LineScan.plainPrefix(UnsafeRawBufferPointer(rebasing: bytes[at...]))
    }

    private static func state(after byte: UInt8) -> State {
        switch byte {
        case 13: .carriageReturn
        case 10: .lineStart
        default: .middle
        }
    }

    private mutating func step(_ byte: UInt8, into out: inout [UInt8]) {
        if state == .carriageReturn, byte != 10 {
            out.append(10)
            state = .lineStart
        }
        if state == .lineStart, byte == UInt8(ascii: ".") { out.append(byte) }
        if state != .carriageReturn, byte == 10 { out.append(13) }
        out.append(byte)
        state = DotStuffer.state(after: byte)
    }
}
