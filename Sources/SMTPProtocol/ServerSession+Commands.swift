// The commands of RFC 5321 §4.1.1, one function each; order is checked here, syntax was checked by `Command`.

internal import MailModel

extension ServerSession {
    mutating func commandReceived(_ line: [UInt8]) {
        let command: Command
        do {
            command = try Command(parsing: line)
        } catch {
            // HTTP and binary greetings: nothing that follows may be executed (ALPACA).
            return error == .notMail ? close(saying: error.reply) : refuse(error.reply)
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
        case .helo, .ehlo, .mail, .data, .rset, .noop, .vrfy, .help, .startTLS, .auth: counters.commandsWithoutMail += 1
        }
        return counters.commandsWithoutMail <= configuration.limits.commandsWithoutMail
    }

    private mutating func perform(_ command: Command) {
        switch command {
        case .helo(let name): helo(name)
        case .ehlo(let name): ehlo(name)
        case .mail(let sender, let parameters): mail(sender, parameters)
        case .rcpt(let path): rcpt(path)
        case .data: data()
        case .rset:
            forget(.transaction)
            replyInGroup(.ok)
        case .noop: reply(.ok)
        case .quit: close(saying: .goodbye)
        case .vrfy: reply(.cannotVerify)
        case .help: reply(.help)
        case .startTLS: startTLS()
        case .auth(let mechanism, let initial): auth(mechanism, initial)
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
        if configuration.offersTLS, !isTLS { lines.append(Array("STARTTLS".utf8)) }
        if offersAuthentication { lines.append(Array("AUTH".utf8) + configuration.mechanisms.flatMap { [0x20] + $0 }) }
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

    private mutating func mail(_ sender: ReversePath, _ parameters: MailParameters) {
        guard client != nil else { return refuse(.helloFirst) }
        guard transaction == nil else { return refuse(.nestedMail) }
        if configuration.service == .submission, identity == nil {
            return refuse(mayAuthenticateNow ? .authenticationRequired : .startTLSFirst)
        }
        if let size = parameters.size, size > configuration.limits.messageSize { return refuse(.tooBig) }
        ask(.sender(sender, size: parameters.size), .sender(sender, parameters))
    }

    mutating func senderAnswered(_ answer: ServerAnswer.Sender, _ sender: ReversePath, _ parameters: MailParameters) {
        switch answer {
        case .accepted:
            transaction = Transaction(sender: sender, body: parameters.body ?? .sevenBit)
            replyInGroup(.senderOK)
        case .temporary(let reply), .refused(let reply): refuse(reply)
        }
    }

    private mutating func rcpt(_ path: ForwardPath) {
        guard transaction != nil else { return refuse(.mailFirst) }
        transaction?.attempts += 1
        if let attempts = transaction?.attempts, attempts > 4 * configuration.limits.recipients {
            return close(saying: .tooManyErrors)
        }
        switch path {
        case .mailbox(let address): if isNew(address) { ask(.recipient(address), .recipient(address)) }
        case .postmaster: ask(.postmaster, .postmaster)
        }
    }

    /// Whether there is something to find out; if not, the reply has been given.
    private mutating func isNew(_ address: EmailAddress) -> Bool {
        guard let transaction else { return false }
        if transaction.known.contains(address) {
            replyInGroup(.recipientOK)
        } else if transaction.recipients.count >= configuration.limits.recipients
            || transaction.recipientOctets + address.octets > configuration.limits.recipientOctets
        {
            refuse(.tooManyRecipients)
        } else {
            return true
        }
        return false
    }

    mutating func recipientAnswered(_ answer: ServerAnswer.Recipient, _ address: EmailAddress) {
        switch answer {
        case .local: add(address)
        case .remote where configuration.service == .submission && identity != nil: add(address)
        case .remote: refuse(.relayDenied)
        case .unknown: refuse(.unknownUser)
        case .unavailable: refuse(.lookupFailed)
        case .refused(let reply): refuse(reply)
        }
    }

    mutating func postmasterAnswered(_ address: EmailAddress?) {
        guard let address else { return refuse(.lookupFailed) }
        if isNew(address) { add(address) }
    }

    private mutating func add(_ address: EmailAddress) {
        transaction?.recipients.append(address)
        transaction?.recipientOctets += address.octets
        transaction?.known.insert(address)
        replyInGroup(.recipientOK)
    }
}

extension EmailAddress {
    /// What it costs in an envelope, with what stands before it.
    fileprivate var octets: Int { wire.count + 4 }
}
