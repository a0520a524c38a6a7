// The sender's own name for a message, repeated in every notice about it.

/// The value of ENVID, decoded (RFC 3461 §4.4): 1 to 100 printable ASCII characters.
package struct EnvelopeID: Hashable, Sendable {
    package let bytes: [UInt8]

    /// A line break or a control character would get into the notice, so it is none.
    package init?(_ bytes: some Collection<UInt8>) {
        guard (1...100).contains(bytes.count), bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
        self.bytes = Array(bytes)
    }
}
