// What a program puts on one connection: its protocol machine, and how the machine's actions are done.
// Every call comes on the connection's own loop, one at a time; a driver needs no lock and must never block.

/// A program's side of one connection; the pump calls it, it acts through its `Wire`.
///
/// The order is: `opened`, then any of the others, then `ended` once and last (also when `opened` never came).
package protocol SessionDriver: AnyObject, SendableMetatype {
    /// What comes back for an `ask`; `Never` for a driver that asks nothing.
    associatedtype Answer: Sendable

    /// False while the machine waits for an answer or has enough: the peer then waits in its own socket.
    var wantsInput: Bool { get }

    /// The connection stands, an implicit TLS handshake is behind it: greet.
    func opened(_ wire: Wire<Answer>)
    /// Bytes of the peer in order, in pieces of any size.
    func received(_ bytes: ArraySlice<UInt8>)
    /// Does the machine's next action; false when there is none. Not called while the peer reads too slowly.
    func step(_ wire: Wire<Answer>) -> Bool
    /// The answer to an `ask`, or one that another thread delivered to `replyAddress`.
    func answered(_ answer: Answer)
    /// The handshake that `startTLS` began is done.
    func secured(_ tls: TLSFacts)
    /// A limit set on the wire has passed: the machine says so and closes.
    func deadlinePassed()
    /// The program drains: end as soon as the protocol allows.
    func shutdownRequested()
    /// The peer sends nothing more. The pump closes by itself once the machine wants input again.
    func inputEnded()
    /// The connection is gone. The last call.
    func ended(_ ending: Ending)
}

extension SessionDriver {
    package func secured(_ tls: TLSFacts) {}
    package func inputEnded() {}
    package func ended(_ ending: Ending) {}
}

extension SessionDriver where Answer == Never {
    package func answered(_ answer: Never) {}
}

/// How a connection ended. The text is for an event log, never for the peer.
package enum Ending: Hashable, Sendable {
    /// We closed it, and what we had written was taken.
    case closed
    /// The peer closed it, or let it die.
    case peerClosed
    /// It never stood: refused, unreachable or timed out.
    case notConnected(reason: String)
    /// We did not begin it: we have as many as we may, or are about to stop. It says nothing of the peer.
    case notBegun(reason: String)
    /// The TLS handshake failed, or the peer broke the TLS protocol.
    case tlsFailed(reason: String)
    /// An error of the network.
    case failed(reason: String)
    /// The peer took too long to accept what we sent, or to end its handshake.
    case stalled
    /// The drain's time was over.
    case drained
    /// The descriptor or the byte stream was handed to another process.
    case handedOver
}
