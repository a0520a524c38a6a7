// The dialogue before login: a pull machine. It knows no account and no mailbox, holds at most one small command,
// and ends in a hand-over or a close.

internal import MailModel

/// Greeting to login (RFC 3501 §3.1). Call `next` until nil after each event.
///
///     S: * OK [CAPABILITY IMAP4rev1 … AUTH=PLAIN] IMAP server ready
///     C: a LOGIN alice secret        → .ask(.authenticate), answered(.authenticated)
///                                    → .handOver: S: a OK [CAPABILITY …] Logged in
package struct LoginSession: Sendable {
    enum Phase: Hashable, Sendable {
        case commands
        /// A question is open; `acceptsChallenge` is false for LOGIN.
        case asking(Tag, acceptsChallenge: Bool)
        case responding(Tag)
        case handshake
        case closing
        case over
    }

    let settings: Settings
    var isTLS: Bool
    var framer = CommandFramer(limits: .beforeLogin)
    var output = ResponsePrinter()
    /// What follows the output.
    var pending: Action?
    var phase = Phase.commands
    var failures = 0
    var errors = 0

    package init(settings: Settings, isTLS: Bool) {
        self.settings = settings
        self.isTLS = isTLS
        output.raw("* OK [")
        output.raw(capabilities)
        output.raw("] IMAP server ready\r\n")
    }

    /// Whether the pump should read; bounds what is held for a client that sends ahead.
    package var wantsInput: Bool {
        switch phase {
        case .commands, .responding: true
        case .asking: framer.unread < 16 * 1024
        case .handshake, .closing, .over: false
        }
    }

    package mutating func received(_ bytes: some Collection<UInt8>) {
        switch phase {
        case .commands, .asking, .responding: framer.append(bytes)
        // V03: what comes between STARTTLS and the handshake was not sent by whom TLS will prove.
        case .handshake, .closing, .over: break
        }
    }

    /// The handshake is done; everything said before it is forgotten (RFC 3501 §6.2.1).
    package mutating func tlsStarted() {
        guard phase == .handshake else { return }
        framer.reset()
        errors = 0
        isTLS = true
        phase = .commands
    }

    package mutating func deadlinePassed() { bye("* BYE Too slow\r\n") }
    package mutating func shutdownRequested() { bye("* BYE Server is shutting down\r\n") }

    package mutating func next() -> Action? {
        while output.isEmpty, pending == nil, step() {}
        if !output.isEmpty { return .send(output.take()) }
        if let action = pending {
            pending = nil
            return action
        }
        guard phase == .closing else { return nil }
        phase = .over
        return .close
    }

    /// One command or line; false if there is none to take.
    private mutating func step() -> Bool {
        switch phase {
        case .commands:
            guard let event = framer.next() else { return false }
            take(event)
            return true
        case .responding(let tag):
            guard let event = framer.nextLine() else { return false }
            takeResponse(event, tag)
            return true
        case .asking, .handshake, .closing, .over: return false
        }
    }

    var isLoginDisabled: Bool { !isTLS && !settings.allowsPlaintext }

    var capabilities: [UInt8] {
        Capabilities.beforeLogin(
            offersTLS: settings.offersTLS && !isTLS, isLoginDisabled: isLoginDisabled, mechanisms: mechanisms)
    }

    mutating func bye(_ text: StaticString) {
        switch phase {
        case .closing, .over: return
        case .commands, .asking, .responding: output.raw(text)
        // Nothing can be said in the middle of a handshake.
        case .handshake: break
        }
        pending = nil
        phase = .closing
    }

    mutating func reply(_ tag: Tag?, _ text: some Sequence<UInt8>) {
        output.raw(tag?.bytes ?? [UInt8(ascii: "*")])
        output.raw(" ")
        output.raw(text)
        output.endLine()
    }

    mutating func reply(_ tag: Tag?, _ text: StaticString) { reply(tag, text.withUTF8Buffer(Array.init)) }
}
