// The one seam between the dialogue before login and the session: plain bytes, so that a process boundary fits in.

/// Where the dialogue before login ends and the session begins, perhaps in another process.
package struct HandOver: Hashable, Sendable {
    package let identity: [UInt8]
    /// The tagged reply to the login, which the session sends first.
    package let completion: [UInt8]
    /// What the client sent behind its login.
    package let unread: [UInt8]
    package let isTLS: Bool

    package init(identity: [UInt8], completion: [UInt8], unread: [UInt8], isTLS: Bool) {
        self.identity = identity
        self.completion = completion
        self.unread = unread
        self.isTLS = isTLS
    }
}
