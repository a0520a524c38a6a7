// The commands of the AUTHORIZATION state (RFC 1939 §4 and §7, RFC 2595 §4, RFC 5034 §4).

internal import SASLProtocol

extension LoginSession {
    mutating func command(_ line: [UInt8]) {
        switch Command.parse(line) {
        case .success(let command): execute(command)
        case .failure(.foreign): fatal("this is POP3")
        case .failure(.unknown): refused("unknown command")
        case .failure(.badArguments): refused("wrong arguments")
        }
    }

    private mutating func execute(_ command: Command) {
        switch command {
        case .capa: send(capabilities.reply(beforeLogin: true))
        case .quit: close(Reply.ok("bye"))
        case .noop: refused("log in first")
        case .stls:
            if capabilities.isTLS || !capabilities.offersTLS { refused("no TLS here") } else { startTLS() }
        case .user(let name):
            guard capabilities.allowsPasswords else { return refused("use STLS first") }
            user = name
            // The same for a name that exists and one that does not (V20).
            send(Reply.ok("send your password"))
        case .pass(let password): pass(password)
        case .auth(let mechanism, let initial): authenticate(mechanism, initial)
        case .authList: listMechanisms()
        case .stat, .list, .uidl, .retr, .dele, .top, .rset: refused("log in first")
        }
    }

    private mutating func pass(_ password: [UInt8]) {
        guard let user else { return refused("send USER first") }
        self.user = nil
        ask(.authenticate(.plain, initial: [0] + user + [0] + password), isPass: true)
    }

    private mutating func authenticate(_ name: [UInt8], _ initial: [UInt8]?) {
        user = nil
        guard let mechanism = Mechanism(name: name), capabilities.mechanisms.contains(mechanism) else {
            return refused("no such mechanism")
        }
        guard capabilities.usableMechanisms.contains(mechanism) else { return refused("use STLS first") }
        guard let initial else { return ask(.authenticate(mechanism, initial: nil), isPass: false) }
        guard let message = Base64.decode(initial) else { return refused("not Base64") }
        ask(.authenticate(mechanism, initial: message), isPass: false)
    }

    /// Not in RFC 5034; clients older than CAPA ask so.
    private mutating func listMechanisms() {
        let names = capabilities.usableMechanisms.map(\.rawValue)
        send(Array((["+OK mechanisms follow"] + names + [".", ""]).joined(separator: "\r\n").utf8))
    }

    /// A line of an exchange: Base64, or `*` to end it (RFC 5034 §4).
    mutating func response(_ line: [UInt8]) {
        if line == [UInt8(ascii: "*")] { return refused("cancelled") }
        guard let message = Base64.decode(line) else { return refused("not Base64") }
        ask(.authenticationResponse(message), isPass: false)
    }
}
