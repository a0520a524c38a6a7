// What an enhanced status code means to the person who wrote the message (RFC 3463; RFC 7504, 7505, 8689 and the registry).

package import MailModel

/// A class of reasons that people understand, and act on in the same way.
package enum FailureKind: Hashable, Sendable, CaseIterable {
    case unknownUser, noSuchDomain, mailboxFull, mailboxClosed, tooLarge, refused, unauthenticated, unprotected, content, alphabet, loop
    case expired, unreachable, theirTrouble, unknown
    /// Our administrator has sent it back; no code says that.
    case returned

    package init(_ status: EnhancedStatus) {
        switch (status.subject, status.detail) {
        case (1, 2), (1, 10), (4, 4): self = .noSuchDomain
        case (1, 7), (1, 8): self = .unauthenticated
        case (1, _): self = .unknownUser
        case (2, 2): self = .mailboxFull
        case (2, 3), (3, 4): self = .tooLarge
        case (2, _): self = .mailboxClosed
        case (4, 6): self = .loop
        case (4, 7): self = .expired
        case (4, _): self = .unreachable
        case (6, 7...10): self = .alphabet
        case (6, _): self = .content
        case (7, 4), (7, 5), (7, 10), (7, 11), (7, 30): self = .unprotected
        case (7, 20...29), (7, 8): self = .unauthenticated
        case (7, _): self = .refused
        case (3, _), (5, _): self = .theirTrouble
        default: self = .unknown
        }
    }

    /// One sentence; `domain` is where the address that was tried last lies.
    func happened(at domain: String) -> String {
        switch self {
        case .unknownUser: "There is no such mailbox at \(domain). The address may be misspelt, or may no longer exist."
        case .noSuchDomain: "No server that takes mail for \(domain) could be found. The part after the @ may be misspelt, or that domain takes no mail."
        case .mailboxFull: "The mailbox at \(domain) is full."
        case .mailboxClosed: "The mailbox at \(domain) exists, but takes no mail now or from you."
        case .tooLarge: "The message is larger than \(domain) takes."
        case .refused: "The mail system of \(domain) refuses the message by its own rules."
        case .unauthenticated: "The mail system of \(domain) could not make sure that the message comes from whom it says."
        case .unprotected: "The message could not be sent to \(domain) under the encryption that is demanded for it, and was not sent without."
        case .content: "The mail system of \(domain) cannot take the message in the form that it has."
        case .alphabet: "The mail system of \(domain) does not know addresses or header lines with letters beyond ASCII, and the message has such."
        case .loop: "The message went round in a circle: addresses that forward mail lead back to each other."
        case .expired: "The message could not be delivered in the time that it is kept for, and was given up."
        case .unreachable: "The mail system of \(domain) cannot be reached."
        case .theirTrouble: "The mail system of \(domain) has a fault, or does not understand ours."
        case .returned: "The administrator of this mail system stopped the message and sent it back. It was not handed to \(domain)."
        case .unknown: "The message was not taken, and no reason was given beside these words."
        }
    }

    /// The same while it is still being tried: what refuses now may be patience that is asked for.
    func waits(at domain: String) -> String {
        switch self {
        case .mailboxFull, .unprotected, .unreachable: happened(at: domain)
        case .unknownUser, .noSuchDomain, .mailboxClosed, .tooLarge, .refused, .unauthenticated, .content, .alphabet, .loop, .expired, .theirTrouble, .unknown,
            .returned:
            "The mail system of \(domain) does not take the message yet."
        }
    }

    /// What the sender can do about it.
    func advice(domain: String) -> String {
        switch self {
        case .unknownUser: "Compare the address letter by letter, or ask the person in another way for the right one; then send it again."
        case .noSuchDomain: "Compare the part after the @ letter by letter. If it is right, ask the person in another way: the domain's owner must mend it."
        case .mailboxFull: "Ask the person in another way to make room, then send it again."
        case .mailboxClosed: "Ask the person in another way whether the address is still in use."
        case .tooLarge: "Send it in parts, or put what is large somewhere and send the link."
        case .refused: "Read the words below: they often name a page or a list. If they mean nothing to you, show this notice to your own postmaster."
        case .unauthenticated: "Send it through the mail server of the domain that you write from. If you did, show this notice to your own postmaster."
        case .unprotected: "Nothing is wrong with the message. Show this notice to your own postmaster, or reach the person in another way."
        case .content: "Send it again as plain text, or put what is special about it into an attachment."
        case .alphabet: "Use an address in plain Latin letters for yourself and the person, and send it again."
        case .loop: "Tell the person in another way that the forwarding at \(domain) goes in a circle."
        case .expired: "Send it again later, or reach the person in another way; the words below say what the trouble was the last time."
        case .unreachable: "Send it again later, or reach the person in another way."
        case .theirTrouble: "Send it again later. If it comes back again, show this notice to your own postmaster."
        case .returned: "Show this notice to your own postmaster, and ask why."
        case .unknown: "If the words below mean nothing to you, show this notice to your own postmaster."
        }
    }
}
