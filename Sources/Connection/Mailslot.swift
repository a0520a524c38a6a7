// Answers that come from other threads: a hundred of one commit wake a loop once.

import Synchronization

/// Where the answer to one connection goes. An answer for a connection that is gone is dropped.
package struct ReplyAddress<Answer: Sendable>: Sendable {
    /// Sendable: touched on the connection's loop only, `isGone` apart; other threads just carry it there.
    private struct Carried: @unchecked Sendable { let wire: Wire<Answer> }

    let home: LoopHome
    private let carried: Carried

    init(_ wire: Wire<Answer>) {
        home = wire.home
        carried = Carried(wire: wire)
    }

    /// Whether the connection has ended: an answer would reach nobody, so what is not yet begun for it need not be.
    package var isGone: Bool { carried.wire.isGone.load(ordering: .relaxed) }

    /// Delivers one answer; for many at a time, a `Mailslot` is cheaper.
    package func deliver(_ answer: Answer) { home.post([letter(answer)]) }

    func letter(_ answer: Answer) -> LoopHome.Letter {
        { [carried] in carried.wire.take(answer) }
    }
}

/// Gathers answers on one thread, and sends them with one wake-up a loop.
package struct Mailslot<Answer: Sendable>: ~Copyable {
    private var letters: [(home: LoopHome, letters: [LoopHome.Letter])] = []

    package init() {}

    package mutating func put(_ answer: Answer, for address: ReplyAddress<Answer>) {
        let letter = address.letter(answer)
        if let index = letters.firstIndex(where: { $0.home === address.home }) {
            letters[index].letters.append(letter)
        } else {
            letters.append((address.home, [letter]))
        }
    }

    /// Sends what was put; the slot is empty again.
    package mutating func send() {
        for entry in letters { entry.home.post(entry.letters) }
        letters = []
    }
}
