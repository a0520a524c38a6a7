// What a client asked of a message beside bringing it to its recipients, as the queue heeds it.

import Kernel
import MailModel
import SpoolFormat

/// The options of one message. Most messages have none, and then nothing is kept.
final class AskedOptions {
    let message: MessageOptions
    /// By the recipient as the envelope names it.
    private(set) var recipients: [[UInt8]: RecipientOptions] = [:]

    init(_ message: MessageOptions) { self.message = message }

    func note(_ options: [EmailAddress: RecipientOptions]) {
        for (recipient, options) in options { recipients[recipient.wire] = options }
    }

    /// One mailbox gets one copy: that of `serving` is `recipient`'s too, and tells of both what either wants to hear.
    func share(_ recipient: [UInt8], with serving: [UInt8]) {
        let mine = recipients[recipient]?.notify, theirs = recipients[serving]?.notify
        guard mine != theirs else { return }
        // Who said nothing hears of failures and of delays.
        let silent: NotifyOptions = [.failure, .delay]
        recipients[serving, default: RecipientOptions()].notify = (mine ?? silent).union(theirs ?? silent)
    }

    /// What came of reading them from a record.
    enum Reading {
        case none
        case asked(AskedOptions)
        /// It says something that is no option: the record is no message of which anything may be concluded.
        case damaged
    }

    /// `recipients`: those that the record numbers.
    static func read(_ record: Record, of recipients: [[UInt8]]) -> Reading {
        guard Key.options.contains(where: { record[$0] != nil }) else { return .none }
        let addresses = recipients.compactMap { EmailAddress(parsing: $0) }
        guard let message = MessageOptions(record), addresses.count == recipients.count,
            let each = RecipientOptions.all(in: record, of: addresses)
        else { return .damaged }
        let asked = AskedOptions(message)
        asked.note(each)
        return .asked(asked)
    }
}

/// A notice other than of failure that a sender is to have about a copy (RFC 3461 §4.1, §5.2.2; RFC 2852 §4.2).
enum Notice: String, CaseIterable, Sendable {
    case delivered
    /// The next host has it and sends no notices.
    case relayed
    /// It is still being tried.
    case delayed
}

extension OpenMessage {
    func options(for recipient: [UInt8]) -> RecipientOptions { asked?.recipients[recipient] ?? RecipientOptions() }

    /// Whether the sender wants to hear of it. `fallback`: what holds where the client did not say.
    func wants(_ event: NotifyOptions, about copy: Copy, fallback: Bool) -> Bool {
        !sender.isEmpty && !(isDeleted && event == .failure) && (options(for: copy.original).notify.map { $0.contains(event) } ?? fallback)
    }

    /// Nothing is done with it before (RFC 4865 §4).
    var heldUntil: WallTime {
        switch asked?.message.hold {
        case .interval(let seconds): accepted.adding(seconds: Int64(seconds))
        case .until(let time): WallTime(nanoseconds: min(time.seconds, Int64.max / 1_000_000_000) * 1_000_000_000)
        case nil: .whenever
        }
    }

    /// When it began to be tried: its age is counted from there.
    var began: WallTime { max(accepted, heldUntil) }

    /// In which state its copies begin.
    var beginning: CopyState {
        let until = heldUntil
        return until > accepted ? .waiting(until: until) : .ready
    }

    /// When it is of no use any more, or its sender wants to hear that it is late (RFC 2852 §4.1).
    var deadline: (time: WallTime, mode: DeliverBy.Mode)? {
        asked?.message.deliverBy.map { (accepted.adding(seconds: Int64($0.seconds)), $0.mode) }
    }

    /// Whether it is to go back to its sender unless it was delivered.
    func isOverdue(at now: WallTime) -> Bool {
        guard let deadline, deadline.mode == .return else { return false }
        return now >= deadline.time
    }

    var rank: Rank { Rank(priority: asked?.message.priority?.value ?? 0, sender: sender) }
}
