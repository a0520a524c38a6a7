// One session after login: the machine's actions done, its questions answered by workers. Never blocks the loop.

import Connection
import Daemon
import Directory
import IMAPProtocol
import Kernel
import Login
import Mailbox

/// Drives a `Session` on its connection's loop.
final class MailboxDriver: SessionDriver {
    typealias Answer = StoreNews

    /// Nobody needs half an hour for the rest of a command; middle boxes forget a silent connection after some minutes.
    private static let restOfCommand = Duration.seconds(300)
    private static let tick = Duration.seconds(120)
    /// A burst of changes is looked at once more when it is over, not once a change.
    private static let calm = Duration.milliseconds(50)

    private let shared: SharedParts
    private let account: AuthenticatedAccount
    private let trace: SessionTrace
    private let desk: StoreDesk
    /// From `opened` to `ended`.
    private var address: ReplyAddress<StoreNews>?
    private var session: Session
    private var wait: Session.Wait?
    private var isPausing = false
    /// Nothing was asked since the last tick.
    private var isResting = false
    private var lastLook = MonotonicTime(nanoseconds: 0)
    private var looksLater = false

    init(_ shared: SharedParts, _ guest: HandedOver<AuthenticatedAccount>) {
        self.shared = shared
        account = guest.account
        trace = SessionTrace(shared.journal, account: guest.account.address, peer: guest.arrival.peer)
        desk = StoreDesk(AccountAccess(shared, guest.account.folder.bytes, trace))
        session = MailboxDriver.session(shared)
        trace.login(service: guest.arrival.role.name, guest.tls)
    }

    /// The front has told the client that it is in; what the client sent ahead comes as input.
    private static func session(_ shared: SharedParts) -> Session {
        Session(
            settings: .init(maximumMessageSize: shared.maximumMessageSize),
            handOver: HandOver(identity: [], completion: [], unread: [], isTLS: false))
    }

    var wantsInput: Bool { session.wantsInput }

    func opened(_ wire: Wire<StoreNews>) {
        limitSilence(wire)
        address = wire.replyAddress
        address?.deliver(.tick, after: MailboxDriver.tick)
    }

    func received(_ bytes: ArraySlice<UInt8>) { session.received(bytes) }
    func deadlinePassed() { session.deadlinePassed() }
    func shutdownRequested() { session.shutdownRequested() }

    func ended(_ ending: Ending) {
        trace.disconnect(ending)
        // The clock still knows us until the next tick: nothing large may hang on that, and no circle on the address.
        address = nil
        session = MailboxDriver.session(shared)
        // Not here: closing a file may block.
        let desk = desk
        shared.workers.submit { [cleaning = shared.cleaning, account] in
            desk.close()
            cleaning.sessionEnded(account)
        }
    }

    func step(_ wire: Wire<StoreNews>) -> Bool {
        guard !isPausing else { return false }
        guard let action = session.next() else {
            limitSilence(wire)
            return false
        }
        switch action {
        case .send(let bytes): wire.send(bytes)
        case .ask(let question): ask(question, wire)
        case .pause:
            isPausing = true
            wire.replyAddress.deliver(.resumed)
        case .close:
            trace.logout()
            wire.close()
        }
        return true
    }

    private func ask(_ question: Session.Question, _ wire: Wire<StoreNews>) {
        isResting = false
        if case .refresh = question { lastLook = .now() }
        let (desk, isIdling, address) = (desk, session.isIdling, wire.replyAddress)
        wire.ask(shared.workers) { .answer(desk.answer(question, isIdling: isIdling, address)) }
    }

    func answered(_ news: StoreNews) {
        switch news {
        case .answer(let answer): session.answered(answer)
        case .resumed: isPausing = false
        case .changed: changed()
        case .calmed:
            looksLater = false
            if session.isIdling { session.mailboxChanged() }
        case .tick: tick()
        }
    }

    /// Outside IDLE a client asks by itself, and nothing is told unasked.
    private func changed() {
        guard session.isIdling, !looksLater else { return }
        guard MonotonicTime.now() - lastLook < MailboxDriver.calm else { return session.mailboxChanged() }
        looksLater = true
        address?.deliver(.calmed, after: MailboxDriver.calm)
    }

    private func tick() {
        if session.isIdling {
            session.keepAlive()
            // For what no watch sees: another host, a mailbox that was moved away whole.
            session.mailboxChanged()
        }
        switch session.wait {
        case .command, .idle:
            if !isResting { shared.workers.submit { [desk] in desk.rest() } }
            isResting = true
        case .rest, .answer: break
        }
        address?.deliver(.tick, after: MailboxDriver.tick)
    }

    private func limitSilence(_ wire: Wire<StoreNews>) {
        guard session.wait != wait else { return }
        wait = session.wait
        switch session.wait {
        case .command, .idle: wire.limitSilence(to: shared.idleTimeout)
        case .rest: wire.limitSilence(to: min(MailboxDriver.restOfCommand, shared.idleTimeout))
        case .answer: break
        }
    }
}
