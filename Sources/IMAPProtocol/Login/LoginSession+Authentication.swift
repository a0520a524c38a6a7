// The exchange of an authentication (RFC 3501 §6.2.2): opaque here, only its frame of base 64 lines is ours.

internal import MailModel
internal import SASLProtocol

extension LoginSession {
    /// The answer to the open question; without one it is ignored.
    package mutating func answered(_ answer: Answer) {
        guard case .asking(let tag, let acceptsChallenge) = phase else { return }
        switch answer {
        case .authenticated(let identity): handOver(identity, tag)
        case .rejected: reject(tag, "NO [AUTHENTICATIONFAILED] Authentication failed")
        case .unavailable:
            phase = .commands
            reply(tag, "NO [UNAVAILABLE] Temporary failure, try again later")
        case .challenge(let message):
            guard acceptsChallenge else { return reject(tag, "NO [SERVERBUG] Internal error") }
            phase = .responding(tag)
            output.raw("+ ")
            output.raw(Base64.encode(message))
            output.endLine()
        }
    }

    mutating func takeResponse(_ event: CommandFramer.Event, _ tag: Tag) {
        switch event {
        case .command(let line):
            if line.elementsEqual("*".utf8) {
                phase = .commands
                reply(tag, "BAD Authentication cancelled")
            } else if let message = Base64.decode(line) {
                phase = .asking(tag, acceptsChallenge: true)
                pending = .ask(.authenticationResponse(message))
            } else {
                failResponse(tag)
            }
        case .bareLineFeed: failResponse(tag)
        case .tooLong: bye("* BYE Line too long\r\n")
        case .literal: failResponse(tag)
        }
    }

    mutating func failResponse(_ tag: Tag) { reject(tag, "BAD Malformed base 64") }

    /// Guesses are counted whatever their form, so that a broken one is no way around the limit.
    private mutating func reject(_ tag: Tag, _ text: StaticString) {
        phase = .commands
        reply(tag, text)
        failures += 1
        if failures >= settings.maximumFailures { bye("* BYE Too many failed logins\r\n") }
    }

    private mutating func handOver(_ identity: [UInt8], _ tag: Tag) {
        var completion = ResponsePrinter()
        completion.raw(tag.bytes)
        completion.raw(" OK [")
        completion.raw(Capabilities.afterLogin)
        completion.raw("] Logged in\r\n")
        pending = .handOver(
            HandOver(identity: identity, completion: completion.bytes, unread: framer.takeUnread(), isTLS: isTLS))
        phase = .over
    }
}
