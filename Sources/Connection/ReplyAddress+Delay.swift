// An answer that must not come at once: a wrong password costs its sender time, and us none.

internal import NIOCore

extension ReplyAddress {
    /// Delivers the answer after a while, on the connection's loop; nobody waits for it meanwhile.
    package func deliver(_ answer: Answer, after delay: Duration) {
        let letter = letter(answer)
        home.loop.scheduleTask(in: TimeAmount(delay)) { letter() }
    }
}
