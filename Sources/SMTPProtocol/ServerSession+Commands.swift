// The commands of RFC 5321 §4.1.1, one function each; order is checked here, syntax was checked by `Command`.

internal import MailModel

extension ServerSession {
    mutating func commandReceived(_ line: [UInt8]) {
        let command: Command
        do {
            command = try Command(parsing: line, offering: offer)
        } catch {
            // HTTP and binary greetings: nothing that follows may be executed (ALPACA).
            return error.endsSession ? close(saying: error.reply) : refuse(error.reply)
        }
        guard line.count + 2 <= lengthLimit(of: command) else { return refuse(.lineTooLong) }
        guard isWithinCommandLimit(command) else { return close(saying: .tooManyCommands) }
        perform(command)
    }

    /// AUTH may carry a response in its line (RFC 4954 §4); every other command is short.
    private func lengthLimit(of command: Command) -> Int {
        if case .auth = command { return configuration.limits.authenticationLine }
        return configuration.limits.commandLine
    }

    private mutating func isWithinCommandLimit(_ command: Command) -> Bool {
        switch command {
        case .rcpt, .quit: break
        // A chunk costs its octets: an empty one nothing, and a small one of a lost message too little.
        case .bdat(let octets, let isLast):
            if !isLast, octets == 0 || octets < 1024 && transaction?.isSpoiled == true { counters.commandsWithoutMail += 1 }
        case .helo, .ehlo, .mail, .data, .rset, .noop, .vrfy, .help, .startTLS, .auth, .xclient: counters.commandsWithoutMail += 1
        }
        return counters.commandsWithoutMail <= configuration.limits.commandsWithoutMail
    }

    private mutating func perform(_ command: Command) {
        switch command {
        case .helo(let name): helo(name)
        case .ehlo(let name): ehlo(name)
        case .mail(let sender, let parameters): mail(sender, parameters)
        case .rcpt(let path, let options): rcpt(path, options)
        case .data: data()
        case .bdat(let octets, let isLast): bdat(octets: octets, isLast: isLast)
        case .rset:
            forget(.transaction)
            replyInGroup(.ok)
        case .noop: reply(.ok)
        case .quit: close(saying: .goodbye)
        case .vrfy: reply(.cannotVerify)
        case .help: reply(.help)
        case .startTLS: startTLS()
        case .auth(let mechanism, let initial): auth(mechanism, initial)
        case .xclient(let said): xclient(said)
        }
    }

    private mutating func helo(_ name: [UInt8]) {
        forget(.transaction)
        client = Client(name: name, isExtended: false)
        reply(Reply(250, nil, lines: [configuration.hostName.bytes]))
    }

    private mutating func ehlo(_ name: [UInt8]) {
        forget(.transaction)
        client = Client(name: name, isExtended: true)
        var lines = [configuration.hostName.bytes + Array(" greets ".utf8) + peer]
        lines += ["PIPELINING", "SIZE \(configuration.limits.messageSize)", "8BITMIME", "ENHANCEDSTATUSCODES"].map {
            Array($0.utf8)
        }
        lines += offer.keywords(configuration.limits).map { Array($0.utf8) }
        if configuration.offersTLS, !isTLS { lines.append(Array("STARTTLS".utf8)) }
        if offersAuthentication { lines.append(Array("AUTH".utf8) + mechanisms.flatMap { [0x20] + $0 }) }
        lines.append(Array("HELP".utf8))
        reply(Reply(250, nil, lines: lines))
    }

    /// RFC 3207 §4: after the 220 nothing counts until the handshake is done.
    private mutating func startTLS() {
        guard configuration.offersTLS else { return refuse(.tlsUnavailable) }
        guard !isTLS else { return refuse(.tlsActive) }
        let hasInjectedBytes = framer.count > 0
        forget(.dialogue)
        reply(.startTLS)
        if hasInjectedBytes { return close() }
        act(.startTLS)
        phase = .handshake
    }

    /// The extensions that this client is offered, as long as nothing changes.
    var offer: ServerExtensions { configuration.extensions.offered(by: configuration.service, isTLS: isTLS) }
}
