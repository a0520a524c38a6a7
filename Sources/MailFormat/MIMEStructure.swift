// The parts of a message (RFC 2045, RFC 2046), found in one pass over its lines and kept in one flat array.
// Invariant: a part is opened at most `maximumParts` times and never deeper than `maximumDepth`; nothing recurses.

/// The tree of a message's parts, parents before children, in the order of the message.
package struct MIMEStructure: Hashable, Sendable {
    /// Multiparts and messages nested deeper than this are leaves.
    package static let maximumDepth = 100
    /// Parts beyond this number are left out.
    package static let maximumParts = 10_000

    /// Never empty: index 0 is the whole message.
    package let parts: [MIMEPart]
    /// The scanned header of the whole message.
    package let header: HeaderSection
    /// Whether parts were left out or not opened because of the limits.
    package let isTruncated: Bool

    package var root: MIMEPart { parts[0] }

    package init(of bytes: [UInt8]) {
        var builder = StructureBuilder(bytes)
        bytes.withUnsafeBytes { builder.scan($0) }
        parts = builder.parts
        header = builder.rootHeader
        isTruncated = builder.isTruncated
    }
}

private struct StructureBuilder {
    private let bytes: [UInt8]
    private(set) var parts: [MIMEPart] = []
    private(set) var rootHeader: HeaderSection
    private(set) var isTruncated = false
    /// The parts that are open, outermost first, with the line count where each body began.
    private var open: [OpenPart] = []
    /// Boundaries of the open multiparts: to the depth in `open` of the innermost that uses it.
    private var boundaries: [[UInt8]: Int] = [:]
    private var longestBoundary = 0
    private var lineEnds = 0
    private var inHeader = false

    private struct OpenPart {
        let index: Int
        var firstLine = 0
        var boundary: [UInt8]?
        /// What `boundary` meant before this part opened.
        var shadowed: Int?
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        rootHeader = HeaderSection(of: [])
    }

    mutating func scan(_ raw: UnsafeRawBufferPointer) {
        begin(parent: nil, at: 0)
        var lines = LineReader(raw, in: 0..<raw.count)
        while let line = lines.next() {
            if line.content.count > 2, raw[line.content.lowerBound] == UInt8(ascii: "-"),
                raw[line.content.lowerBound + 1] == UInt8(ascii: "-"), !boundaries.isEmpty, meetsBoundary(line) {
                lineEnds += line.next > line.content.upperBound ? 1 : 0
                continue
            }
            lineEnds += line.next > line.content.upperBound ? 1 : 0
            if inHeader, line.isBlank { endHeader(at: line.next) }
        }
        if inHeader { endHeader(at: raw.count) }
        while !open.isEmpty { close(at: raw.count, lineEnds: lineEnds) }
    }

    private mutating func begin(parent: Int?, at start: Int) {
        if let parent { parts[parent].children.append(parts.count) }
        open.append(OpenPart(index: parts.count))
        parts.append(MIMEPart(parent: parent, start: start))
        inHeader = true
    }

    /// The header of the innermost part is complete: what it says decides how its body is read.
    private mutating func endHeader(at end: Int) {
        inHeader = false
        guard let last = open.indices.last else { return }
        let index = open[last].index
        let start = parts[index].header.lowerBound
        let section = HeaderSection(of: bytes, in: start..<end)
        if index == 0 { rootHeader = section }
        let parent = parts[index].parent
        let isMessage = parent.map { parts[$0].kind == .message } ?? true
        let inDigest = parent.map { parts[$0].kind == .multipart && parts[$0].contentType.matches("multipart", "digest") } ?? false
        parts[index].read(section, in: bytes, isMessage: isMessage, parentIsDigest: inDigest)
        parts[index].header = start..<end
        parts[index].body = end..<end
        open[last].firstLine = lineEnds
        enterBody(of: index, depth: last, at: end)
    }

    private mutating func enterBody(of index: Int, depth: Int, at start: Int) {
        let type = parts[index].contentType
        guard type.isMultipart || type.isMessage else { return }
        guard open.count < MIMEStructure.maximumDepth, parts.count < MIMEStructure.maximumParts else {
            isTruncated = true
            return
        }
        if type.isMessage {
            parts[index].kind = .message
            begin(parent: index, at: start)
        } else if let boundary = type.boundary {
            parts[index].kind = .multipart
            open[depth].boundary = boundary
            open[depth].shadowed = boundaries.updateValue(depth, forKey: boundary)
            longestBoundary = max(longestBoundary, boundary.count)
        } else {
            parts[index].kind = .multipart
        }
    }

    /// RFC 2046 §5.1.1: `--boundary`, blanks; or `--boundary--`, which ends the multipart. True if it was one.
    private mutating func meetsBoundary(_ line: Line) -> Bool {
        var text = bytes[(line.content.lowerBound + 2)..<line.content.upperBound]
        // Blanks are few; a line that is longer than any boundary with its marks is none.
        guard text.count <= longestBoundary + 100 else { return false }
        while let last = text.last, last.isBlank { text = text.dropLast() }
        if let depth = boundaries[Array(text)] {
            separate(depth, line)
            return true
        }
        guard text.count > 2, text.suffix(2) == [UInt8(ascii: "-"), UInt8(ascii: "-")],
            let depth = boundaries[Array(text.dropLast(2))]
        else { return false }
        endParts(deeperThan: depth, before: line)
        forgetBoundary(at: depth)
        return true
    }

    private mutating func separate(_ depth: Int, _ line: Line) {
        endParts(deeperThan: depth, before: line)
        guard parts.count < MIMEStructure.maximumParts else { isTruncated = true; return }
        begin(parent: open[depth].index, at: line.next)
    }

    private mutating func endParts(deeperThan depth: Int, before line: Line) {
        let start = line.content.lowerBound
        if open.count > depth + 1, inHeader { endHeader(at: start) }
        inHeader = false
        let end = endBeforeBoundary(start)
        while open.count > depth + 1 { close(at: end, lineEnds: lineEnds - (end < start ? 1 : 0)) }
    }

    /// The line end before a boundary is the boundary's.
    private func endBeforeBoundary(_ start: Int) -> Int {
        guard start > 0, bytes[start - 1] == 0x0A else { return start }
        return start > 1 && bytes[start - 2] == 0x0D ? start - 2 : start - 1
    }

    private mutating func close(at end: Int, lineEnds: Int) {
        if open.last?.boundary != nil { forgetBoundary(at: open.count - 1) }
        guard let part = open.popLast() else { return }
        let start = parts[part.index].body.lowerBound
        // An empty body has no line end of its own to give away.
        parts[part.index].body = start..<max(start, end)
        parts[part.index].lineCount = max(0, lineEnds - part.firstLine)
    }

    private mutating func forgetBoundary(at depth: Int) {
        guard let boundary = open[depth].boundary else { return }
        boundaries[boundary] = open[depth].shadowed
        open[depth].boundary = nil
    }
}
