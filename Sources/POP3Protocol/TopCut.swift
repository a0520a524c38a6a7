// Where TOP ends a message: after the header, the blank line, and so many lines of the body (RFC 1939 §7).

/// Finds the cut in a message that comes chunk by chunk.
package struct TopCut: Sendable {
    private var linesLeft: Int
    private var inHeader = true
    /// What the current line has so far: only a line that is nothing, or one CR, is blank.
    private var line = LineSoFar.empty
    package private(set) var isReached = false

    private enum LineSoFar { case empty, carriageReturn, content }

    package init(lines: Int) { linesLeft = lines }

    /// How many bytes of `chunk` are still wanted.
    package mutating func wanted(of chunk: [UInt8]) -> Int { chunk.withUnsafeBytes { wanted(of: $0) } }

    private mutating func wanted(of chunk: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while !isReached, start < chunk.count {
            let feed = lineFeed(in: chunk, from: start)
            if feed > start { line = line == .empty && feed - start == 1 && chunk[start] == 0x0D ? .carriageReturn : .content }
            guard feed < chunk.count else { return chunk.count }
            endLine()
            start = feed + 1
        }
        return start
    }

    private mutating func endLine() {
        if !inHeader {
            linesLeft -= 1
        } else if line != .content {
            inHeader = false
        }
        line = .empty
        isReached = !inHeader && linesLeft <= 0
    }
}
