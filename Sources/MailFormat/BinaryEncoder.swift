// A message that came as BODY=BINARYMIME, made one of lines: what stands in the spool and in the store is text with CRLF.
// Invariant: chopping the input changes nothing, and memory does not grow with the message.

private import MailModel

/// Encodes the parts whose transfer encoding is `binary` in base64 (RFC 3030 §3, RFC 2045 §6); all else keeps its bytes,
/// except that a line end which is not CRLF becomes one.
package struct BinaryEncoder: Sendable {
    /// What the next line belongs to.
    private enum Place: Sendable { case header, text, binary }

    /// A header section above this is passed on, and what follows it counts as text.
    private static let longestHeader = 64 << 10
    /// More nested multiparts are not looked into.
    private static let deepest = 50
    /// A line is looked at whole up to this length: a boundary has 70 characters at most (RFC 2046 §5.1.1).
    private static let longestLine = 1024

    private var place = Place.header
    private var boundaries: [[UInt8]] = []
    private var header: [UInt8] = []
    /// What has come of the line at hand.
    private var line: [UInt8] = []
    private var isLineStart = true
    /// The CRLF before a boundary is the boundary's: it waits for the line that follows.
    private var holdsLineEnd = false
    private var encoder = Base64Lines()
    private var text = CRLFNormaliser(bareReturn: .lineEnd)

    package init() {}

    package mutating func append(_ bytes: some Sequence<UInt8>, to out: inout [UInt8]) {
        for byte in bytes {
            line.append(byte)
            if byte == 0x0A { take(mayMark: true, to: &out) } else if line.count > BinaryEncoder.longestLine { takePiece(to: &out) }
        }
    }

    /// A piece of a line that is no boundary; a CR at its end waits for what follows.
    private mutating func takePiece(to out: inout [UInt8]) {
        let endsWithReturn = line.last == 0x0D
        if endsWithReturn { line.removeLast() }
        take(mayMark: false, to: &out)
        if endsWithReturn { line.append(0x0D) }
    }

    /// The end of the message.
    package mutating func finish(to out: inout [UInt8]) {
        if !line.isEmpty { take(mayMark: true, to: &out) }
        switch place {
        case .header: leaveHeader(to: &out)
        case .text: text.finish(endLine: true, to: &out)
        case .binary:
            if holdsLineEnd { encoder.append(crlf[...], to: &out) }
            encoder.finish(to: &out)
        }
        self = BinaryEncoder()
    }

    /// A line with its end, or a piece of a long one.
    private mutating func take(mayMark: Bool, to out: inout [UInt8]) {
        defer { line.removeAll(keepingCapacity: true) }
        if isLineStart, mayMark, take(boundary: line, to: &out) { return }
        let isWhole = line.last == 0x0A
        switch place {
        case .header: takeHeader(to: &out)
        case .text: text.append(line, to: &out)
        case .binary: appendBinary(to: &out)
        }
        isLineStart = isWhole
    }

    // MARK: - Where a part begins and ends

    /// Whether the line is a boundary of a multipart that is open, the innermost or one around it.
    private mutating func take(boundary line: [UInt8], to out: inout [UInt8]) -> Bool {
        guard line.starts(with: [0x2D, 0x2D]), let level = boundaries.lastIndex(where: { BinaryEncoder.marks(line, $0) }) else { return false }
        switch place {
        case .binary:
            encoder.finish(to: &out)
            holdsLineEnd = false
        case .header: leaveHeader(to: &out)
        case .text: break
        }
        // A line end that a CR began is over.
        text = CRLFNormaliser(bareReturn: .lineEnd)
        let isClosing = line.dropFirst(2 + boundaries[level].count).starts(with: [0x2D, 0x2D])
        boundaries.removeSubrange((isClosing ? level : level + 1)...)
        place = isClosing ? .text : .header
        isLineStart = true
        text.append(line, to: &out)
        return true
    }

    /// `--boundary`, perhaps `--`, perhaps blanks.
    private static func marks(_ line: [UInt8], _ boundary: [UInt8]) -> Bool {
        guard line.dropFirst(2).starts(with: boundary) else { return false }
        var rest = line.dropFirst(2 + boundary.count)
        if rest.starts(with: [0x2D, 0x2D]) { rest = rest.dropFirst(2) }
        return rest.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    }

    private mutating func takeHeader(to out: inout [UInt8]) {
        let isEnd = isLineStart && (line == [0x0A] || line == crlf)
        if !isEnd { header += line }
        guard isEnd || header.count > BinaryEncoder.longestHeader else { return }
        if isEnd {
            leaveHeader(to: &out)
            out += crlf
        } else {
            text.append(header, to: &out)
            header.removeAll()
            place = .text
        }
    }

    /// What the header says decides how its body is read.
    private mutating func leaveHeader(to out: inout [UInt8]) {
        let section = HeaderSection(of: header)
        let type = section.value("Content-Type", in: header).flatMap { ContentType(parsing: $0[...]) }
        let isBinary = section.value("Content-Transfer-Encoding", in: header)?.equalsIgnoringASCIICase("binary") ?? false
        place = .text
        var encoding: StaticString = "8bit"
        if let type, type.isMultipart, let boundary = type.boundary, boundaries.count < BinaryEncoder.deepest {
            boundaries.append(boundary)
        } else if let type, type.isMessage {
            place = .header
        } else if isBinary {
            place = .binary
            encoding = "base64"
        }
        append(section, saying: isBinary ? encoding : nil, to: &out)
        header.removeAll()
    }

    /// The header with CRLF line ends, its transfer encoding replaced if there is another now.
    private func append(_ section: HeaderSection, saying encoding: StaticString?, to out: inout [UInt8]) {
        var lines = CRLFNormaliser(bareReturn: .lineEnd)
        guard let encoding else {
            lines.append(header, to: &out)
            return lines.finish(endLine: true, to: &out)
        }
        let old = section.all(Array("Content-Transfer-Encoding".utf8), in: header)
        var at = 0
        for field in old {
            lines.append(Array(header[at..<field.whole.lowerBound]), to: &out)
            at = field.whole.upperBound
        }
        lines.append(Array(header[at...]), to: &out)
        lines.finish(endLine: true, to: &out)
        out += Array("Content-Transfer-Encoding: ".utf8) + encoding.withUTF8Buffer { Array($0) } + crlf
    }

    // MARK: - What stands in a part

    /// The line end waits: before a boundary it is the boundary's.
    private mutating func appendBinary(to out: inout [UInt8]) {
        if holdsLineEnd { encoder.append(crlf[...], to: &out) }
        holdsLineEnd = line.suffix(2) == crlf[...]
        encoder.append(line.dropLast(holdsLineEnd ? 2 : 0), to: &out)
    }
}

private let crlf: [UInt8] = [0x0D, 0x0A]

/// base64 in lines of 76 characters (RFC 2045 §6.8), from pieces of any size.
struct Base64Lines: Sendable {
    private static let octets = 57
    private var rest: [UInt8] = []

    mutating func append(_ bytes: ArraySlice<UInt8>, to out: inout [UInt8]) {
        rest += bytes
        var at = 0
        while rest.count - at >= Base64Lines.octets {
            out += base64Encoded(rest[at..<(at + Base64Lines.octets)]) + crlf
            at += Base64Lines.octets
        }
        rest.removeFirst(at)
    }

    mutating func finish(to out: inout [UInt8]) {
        if !rest.isEmpty { out += base64Encoded(rest) + crlf }
        rest.removeAll()
    }
}
