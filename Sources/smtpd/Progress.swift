// Slow loris: a byte now and then is not silence, and must not hold a connection for good.

/// What counts as progress of a session: a reply that it has earned, or so much of a message.
struct Progress {
    /// Octets of content that count like a reply: with a limit of 300 s, 109 octets a second.
    private static let piece = 32 << 10
    private var octets = 0

    mutating func received(_ count: Int) { octets += count }

    /// Whether there was some since this was asked last; `hasReplied`: there is a reply now.
    mutating func isMade(hasReplied: Bool) -> Bool {
        guard hasReplied || octets >= Progress.piece else { return false }
        octets = 0
        return true
    }
}
