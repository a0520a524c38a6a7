// The parts of a message as they stream by, for what rewrites a message on its way without holding it.
// Invariant: chopping the input changes nothing, memory does not grow with the message, nothing recurses.

internal import MailModel

/// What a header says of the part that it opens.
struct PartOpening {
    enum Kind { case leaf, multipart, message }

    let kind: Kind
    let section: HeaderSection
    let hasContentType: Bool
    let isText: Bool
    let encoding: TransferEncoding
    /// Not 7bit by its own word: `8bit` or `binary`.
    let isDeclaredEightBit: Bool
    /// A body that only 7bit, 8bit and binary may name (RFC 2046 §5.2.2, §5.2.3), or one that is not looked into.
    let isFixed: Bool
    /// It is signed, or within what is (RFC 1847 §2.1): no byte of it may change.
    let isSigned: Bool
    let isRoot: Bool
}

/// Hears of the parts in their order; every byte of the message is told once.
protocol PartSink {
    /// A header without the blank line that ends it, and that line; empty where a boundary or the end came first.
    mutating func header(_ bytes: [UInt8], _ end: [UInt8], _ part: PartOpening)
    /// A piece of the body of the leaf that was opened last.
    mutating func body(_ piece: ArraySlice<UInt8>)
    /// The leaf is over; before a boundary a line end is the boundary's (RFC 2046 §5.1.1).
    mutating func endBody(_ lineEnd: [UInt8])
    /// A boundary, or what stands before the first or after the last.
    mutating func between(_ bytes: ArraySlice<UInt8>, isSigned: Bool)
}

struct PartWalker: Sendable {
    private enum Place: Sendable { case header, leaf, between }

    private struct Multipart: Sendable {
        let boundary: [UInt8]
        let isSigned: Bool
        let isDigest: Bool
    }

    /// A header beyond this is no header of which anything is to be concluded.
    static let longestHeader = 1 << 20
    static let deepest = 50
    static let mostParts = 10_000
    /// A line is looked at whole up to this length: a boundary has 70 characters at most (RFC 2046 §5.1.1).
    private static let longestLine = 1024

    private var place = Place.header
    private var open: [Multipart] = []
    private var header: [UInt8] = []
    /// What has come of the line at hand.
    private var line: [UInt8] = []
    private var isLineStart = true
    /// The line end that may be a boundary's.
    private var held: [UInt8] = []
    private var inDigest = false
    private var parts = 0
    /// It has more parts, or a longer header, than are looked at.
    private(set) var isBeyondBounds = false

    mutating func append(_ bytes: ArraySlice<UInt8>, to sink: inout some PartSink) {
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let room = PartWalker.longestLine - line.count
            let end = min(bytes.endIndex, at + max(room, 1))
            if let feed = bytes[at..<end].firstIndex(of: 0x0A) {
                line += bytes[at...feed]
                at = feed + 1
                take(isWhole: true, to: &sink)
            } else {
                line += bytes[at..<end]
                at = end
                if line.count >= PartWalker.longestLine { takePiece(to: &sink) }
            }
        }
    }

    /// The end of the message.
    mutating func finish(to sink: inout some PartSink) {
        if !line.isEmpty { take(isWhole: true, to: &sink) }
        switch place {
        case .header: leaveHeader([], to: &sink)
        case .leaf, .between: break
        }
        // Without a boundary behind it the line end is the body's own.
        if place == .leaf {
            if !held.isEmpty { sink.body(held[...]) }
            sink.endBody([])
        }
    }

    /// A piece of a line that is no boundary; a CR at its end waits for what follows.
    private mutating func takePiece(to sink: inout some PartSink) {
        let endsWithReturn = line.last == 0x0D && line.count > 1
        if endsWithReturn { line.removeLast() }
        take(isWhole: false, to: &sink)
        if endsWithReturn { line.append(0x0D) }
    }

    private mutating func take(isWhole: Bool, to sink: inout some PartSink) {
        defer {
            line.removeAll(keepingCapacity: true)
            isLineStart = isWhole
        }
        if isWhole, isLineStart, takeBoundary(to: &sink) { return }
        switch place {
        case .header: takeHeader(isWhole, to: &sink)
        case .between: sink.between(line[...], isSigned: isSigned)
        case .leaf:
            if !held.isEmpty { sink.body(held[...]) }
            let end = line.last != 0x0A ? 0 : line.suffix(2).first == 0x0D && line.count > 1 ? 2 : 1
            held = Array(line.suffix(end))
            if line.count > end { sink.body(line.dropLast(end)) }
        }
    }

    private var isSigned: Bool { open.contains { $0.isSigned } }

    // MARK: - Where a part begins and ends

    /// Whether the line is a boundary of a multipart that is open, the innermost or one around it.
    private mutating func takeBoundary(to sink: inout some PartSink) -> Bool {
        guard line.starts(with: [0x2D, 0x2D]), let level = open.lastIndex(where: { PartWalker.marks(line, $0.boundary) }) else { return false }
        if place == .header { leaveHeader([], to: &sink) }
        if place == .leaf { sink.endBody(held) }
        held.removeAll()
        let isClosing = line.dropFirst(2 + open[level].boundary.count).starts(with: [0x2D, 0x2D])
        open.removeSubrange((level + 1)...)
        sink.between(line[...], isSigned: isSigned)
        inDigest = open[level].isDigest
        if isClosing { open.removeLast() }
        place = isClosing ? .between : .header
        return true
    }

    /// `--boundary`, perhaps `--`, perhaps blanks.
    private static func marks(_ line: [UInt8], _ boundary: [UInt8]) -> Bool {
        guard line.dropFirst(2).starts(with: boundary) else { return false }
        var rest = line.dropFirst(2 + boundary.count)
        if rest.starts(with: [0x2D, 0x2D]) { rest = rest.dropFirst(2) }
        return rest.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    }

    private mutating func takeHeader(_ isWhole: Bool, to sink: inout some PartSink) {
        if isWhole, isLineStart, line == [0x0A] || line == [0x0D, 0x0A] { return leaveHeader(line, to: &sink) }
        header += line
        guard header.count > PartWalker.longestHeader else { return }
        isBeyondBounds = true
        leaveHeader([], to: &sink)
    }

    /// What the header says decides how its body is read.
    private mutating func leaveHeader(_ end: [UInt8], to sink: inout some PartSink) {
        let section = HeaderSection(of: header)
        let named = section.value("Content-Type", in: header).flatMap { ContentType(parsing: $0[...]) }
        let type = named ?? (inDigest ? ContentType(type: "message", subtype: "rfc822") : ContentType(type: "text", subtype: "plain"))
        inDigest = false
        parts += 1
        let mayOpen = open.count < PartWalker.deepest && parts < PartWalker.mostParts
        if parts >= PartWalker.mostParts { isBeyondBounds = true }
        let isMessage = type.matches("message", "rfc822"), boundary = type.isMultipart ? type.boundary : nil
        var kind = PartOpening.Kind.leaf
        if mayOpen { kind = isMessage ? .message : boundary != nil ? .multipart : .leaf }
        let encoding = section.value("Content-Transfer-Encoding", in: header) ?? []
        let isFixed = kind == .leaf && (isMessage || type.isMultipart || type.matches("message", "partial") || type.matches("message", "external-body"))
        sink.header(header, end, PartOpening(
            kind: kind, section: section, hasContentType: named != nil, isText: type.isText, encoding: TransferEncoding(name: encoding),
            isDeclaredEightBit: encoding.equalsIgnoringASCIICase("8bit") || encoding.equalsIgnoringASCIICase("binary"),
            isFixed: isFixed, isSigned: isSigned, isRoot: parts == 1))
        header.removeAll()
        held.removeAll()
        switch kind {
        case .leaf: place = .leaf
        case .message: place = .header
        case .multipart:
            open.append(Multipart(boundary: boundary ?? [], isSigned: type.matches("multipart", "signed"), isDigest: type.matches("multipart", "digest")))
            place = .between
        }
    }
}
