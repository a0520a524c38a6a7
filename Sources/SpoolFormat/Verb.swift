// Every record verb and every key, once: docs/events.md lists them and a test compares the two.

/// What a record says happened. The raw value is the first word of its line.
package enum Verb: String, CaseIterable, Sendable {
    /// Of the log itself: everything before this offset is durable.
    case commit

    // A program that takes mail in: smtpd, submission; queued for bounces and adopted drops.
    case accept
    case refuse
    case connect
    case disconnect
    case authenticate
    case greylist

    // queued
    case state
    case cursor
    case open
    case pending
    case route
    case assign
    case deferred
    case done
    case stateEnd = "state-end"
    case released
    case adopted
    case bounced
    case notified
    case ordered

    // locald, remoted
    case staged
    case delivered
    case withdrawn
    case sent
    case temporary
    case failed
    case session

    // pop3d, imapd
    case login
    case logout
    case fetch
    case append
    case delete
    case copy
    case move

    // every program
    case start
    case stop
    case corrupt
    case problem
    case checkpoint

    // mailctl and the supervisor
    case request
    case spawn
    case exit
    case recognised
}

/// The keys of records. The raw value stands before `=` in the line.
package enum Key: String, CaseIterable, Sendable {
    case at, from, to, recipient, final, account, peer, helo, tls, auth, body, size, hops, reason, status, host, file, store, path
    case messageID = "msgid"
    // What SMTP's extensions asked for (AcceptRecord.swift).
    case charset, requiretls, ret, envid, holdfor, holduntil, by, priority, notify, orcpt
    // Which notice queued owes to a sender, and which it has sent.
    case owes, told
    // When a copy was tried, for the notice about it.
    case tried
    case content, big, location, agent, attempt, answers, until, kind, parent, log, segment, offset, upto, service, pid, uid
    case accepted, code, restarts, command, target, count, policy, protocolName = "proto", folder, mailbox, origin, covers, drop, result, counts, generation, since, who
    // How a connection to another host was secured.
    case domain, verified, tlspolicy
}

extension Verb {
    private static let byHash = Dictionary(uniqueKeysWithValues: allCases.map { (hash($0.rawValue.utf8), $0) })

    /// Nil for a verb of a later version.
    init?(_ name: ArraySlice<UInt8>) {
        guard let verb = Verb.byHash[Verb.hash(name)], verb.rawValue.utf8.elementsEqual(name) else { return nil }
        self = verb
    }

    /// FNV-1a: the verbs have different ones, or the table above could not be made.
    private static func hash(_ name: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }
}
