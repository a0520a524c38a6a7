// A message for a server that takes 7 bits only (RFC 6152 §3): parts with bytes above 127 in quoted-printable or base64.
// Invariant: each part decodes to the octets that it had; no header line changes but Content-Transfer-Encoding.

internal import MailModel

/// Writes a message by the plan that a survey of the same bytes made, in pieces of any size.
package struct SevenBitEncoder: Sendable {
    private var walker = PartWalker()
    private var writer: Writer

    package init(_ plan: SevenBitPlan) { writer = Writer(plan) }

    package mutating func append(_ bytes: ArraySlice<UInt8>, to out: inout [UInt8]) {
        walker.append(bytes, to: &writer)
        writer.take(into: &out)
    }

    /// The end of the message.
    package mutating func finish(to out: inout [UInt8]) {
        walker.finish(to: &writer)
        writer.take(into: &out)
    }
}

private struct Writer: PartSink, Sendable {
    private let plan: SevenBitPlan
    private var part = 0
    private var form = SevenBitPlan.Form.asItIs
    private var quoted = QuotedPrintableLines()
    private var base64 = Base64Lines()
    private var out: [UInt8] = []

    init(_ plan: SevenBitPlan) { self.plan = plan }

    mutating func take(into other: inout [UInt8]) {
        other += out
        out.removeAll(keepingCapacity: true)
    }

    mutating func header(_ bytes: [UInt8], _ end: [UInt8], _ part: PartOpening) {
        form = part.kind == .leaf && plan.forms.indices.contains(self.part) ? plan.forms[self.part] : .asItIs
        self.part += 1
        guard !part.isSigned, form != .asItIs || part.isDeclaredEightBit else {
            out += bytes + end
            return
        }
        let encoding: StaticString = switch form {
        case .asItIs: "7bit"
        case .quotedPrintable: "quoted-printable"
        case .base64: "base64"
        }
        append(bytes, part, encoding)
        out += end
    }

    /// The header with another transfer encoding, in the place of the one that it had.
    private mutating func append(_ bytes: [UInt8], _ part: PartOpening, _ encoding: StaticString) {
        let old = part.section.all(Array("Content-Transfer-Encoding".utf8), in: bytes)
        var field = HeaderWriter()
        if part.isRoot, form != .asItIs, part.section.first("MIME-Version", in: bytes) == nil { field.field("MIME-Version", "1.0") }
        // RFC 1428 §3: nobody has said which letters these are.
        if form != .asItIs, !part.hasContentType, part.section.first("Content-Type", in: bytes) == nil {
            field.field("Content-Type", "text/plain; charset=unknown-8bit")
        }
        field.field("Content-Transfer-Encoding", encoding.withUTF8Buffer { Array($0) })
        var at = 0
        for (number, found) in old.enumerated() {
            out += bytes[at..<found.whole.lowerBound]
            if number == 0 { out += field.bytes }
            at = found.whole.upperBound
        }
        out += bytes[at...]
        guard old.isEmpty else { return }
        if !bytes.isEmpty, bytes.last != 0x0A { out += [0x0D, 0x0A] }
        out += field.bytes
    }

    mutating func body(_ piece: ArraySlice<UInt8>) {
        switch form {
        case .asItIs: out += piece
        case .quotedPrintable: quoted.append(piece, to: &out)
        case .base64: base64.append(piece, to: &out)
        }
    }

    mutating func endBody(_ lineEnd: [UInt8]) {
        switch form {
        case .asItIs: out += lineEnd
        case .quotedPrintable:
            quoted.finish(to: &out)
            out += lineEnd
        // Its lines are ended already, and the last line end is the boundary's.
        case .base64: base64.finish(to: &out)
        }
        form = .asItIs
    }

    /// What no reader shows (RFC 2046 §5.1.1) loses what it cannot keep.
    mutating func between(_ bytes: ArraySlice<UInt8>, isSigned: Bool) { out += bytes.map { $0 > 0x7F ? UInt8(ascii: "?") : $0 } }
}

/// quoted-printable in lines of 76 characters at most (RFC 2045 §6.7), from pieces of any size; CRLF is a line end, and
/// any other CR or LF an octet.
struct QuotedPrintableLines: Sendable {
    /// The last column is for the `=` of a soft line break.
    private static let width = 75
    private static let digits = Array("0123456789ABCDEF".utf8)
    private var column = 0
    /// A blank or CR whose fate depends on what follows.
    private var waiting: UInt8?

    mutating func append(_ bytes: ArraySlice<UInt8>, to out: inout [UInt8]) {
        for byte in bytes { take(byte, to: &out) }
    }

    mutating func finish(to out: inout [UInt8]) {
        // A blank at the end of a line would be taken for padding.
        if let octet = waiting { escape(octet, to: &out) }
        waiting = nil
        column = 0
    }

    private mutating func take(_ byte: UInt8, to out: inout [UInt8]) {
        if let octet = waiting {
            waiting = nil
            if octet == 0x0D, byte == 0x0A {
                out += [0x0D, 0x0A]
                column = 0
                return
            }
            if octet == 0x0D || byte == 0x0D { escape(octet, to: &out) } else { literal(octet, to: &out) }
        }
        switch byte {
        case 0x20, 0x09, 0x0D: waiting = byte
        case 0x21...0x3C, 0x3E...0x7E: literal(byte, to: &out)
        default: escape(byte, to: &out)
        }
    }

    private mutating func literal(_ byte: UInt8, to out: inout [UInt8]) {
        makeRoom(1, to: &out)
        out.append(byte)
    }

    private mutating func escape(_ byte: UInt8, to out: inout [UInt8]) {
        makeRoom(3, to: &out)
        out += [UInt8(ascii: "="), QuotedPrintableLines.digits[Int(byte >> 4)], QuotedPrintableLines.digits[Int(byte & 15)]]
    }

    private mutating func makeRoom(_ count: Int, to out: inout [UInt8]) {
        if column + count > QuotedPrintableLines.width {
            out += [UInt8(ascii: "="), 0x0D, 0x0A]
            column = 0
        }
        column += count
    }
}
