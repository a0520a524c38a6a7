// The content of BDAT: as many octets as were announced, whatever they are. Nothing is allocated for a number that a client says.
// A chunk that is refused is read to its end all the same, or its octets would be taken for commands.

/// Counts the chunks of one message (RFC 3030 §2), in pieces of any size.
package struct ChunkFramer: Sendable {
    /// Octets of content so far.
    package private(set) var size = 0
    package private(set) var header = HeaderSection()
    /// Octets of the chunk at hand that are still to come.
    package private(set) var remaining = 0
    /// The chunk at hand is the message's last.
    package private(set) var isLast = false

    private let limit: Int
    private var isKept = false

    package init(limit: Int) { self.limit = max(limit, 0) }

    /// Whether so many octets more are too many. Said before the first of them is taken, and without adding what may overflow.
    package func exceedsLimit(_ octets: Int) -> Bool { octets > limit - size }

    /// A chunk begins; of one that is not kept the octets are counted and forgotten.
    package mutating func begin(octets: Int, isLast: Bool, isKept: Bool) {
        remaining = max(octets, 0)
        self.isLast = isLast
        self.isKept = isKept && !exceedsLimit(octets)
    }

    /// Appends what of `bytes` is of this chunk and kept; returns how many bytes it used.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer, into content: inout [UInt8]) -> Int {
        let count = min(bytes.count, remaining)
        remaining -= count
        guard isKept else { return count }
        let taken = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        size += count
        if !header.isOver { header.take(taken) }
        content.append(contentsOf: taken)
        return count
    }
}
