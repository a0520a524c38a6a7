// The events: what the network, the clock and the daemon tell the session.

private import MailModel

extension ServerSession {
    package mutating func received(_ bytes: some Collection<UInt8>) {
        let isContiguous: Void? = bytes.withContiguousStorageIfAvailable { received(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil { Array(bytes).withUnsafeBytes { received($0) } }
    }

    /// Bytes from the client. Content goes straight into the message; all else is held until it is a line.
    package mutating func received(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty, phase != .closed, !inputHasEnded else { return }
        // Plaintext behind STARTTLS is an attack or a broken client: neither gets a reply within TLS.
        if phase == .handshake { return close() }
        var rest = bytes
        if openQuestion == nil, framer.count == 0, reception?.awaitsContent == true { rest = receiveContent(bytes) }
        framer.append(rest)
        guard framer.count <= configuration.limits.input else { return close(saying: .internalError) }
        advance()
    }

    /// The handshake that `.startTLS` asked for is done.
    package mutating func tlsStarted() {
        guard phase == .handshake else { return }
        forget(.dialogue)
        isTLS = true
        phase = .command
        advance()
    }

    /// The answer to the open question. One that nobody waits for any more is ignored: the peer may have gone.
    package mutating func answered(_ answer: ServerAnswer) {
        guard let question = openQuestion else { return }
        openQuestion = nil
        switch (question, answer) {
        case (.sender(let path, let parameters), .sender(let answer)): senderAnswered(answer, path, parameters)
        case (.recipient(let address, let options), .recipient(let answer)): recipientAnswered(answer, address, options)
        case (.postmaster(let options), .postmaster(let address)): postmasterAnswered(address, options)
        case (.authentication, .authentication(let answer)): authenticationAnswered(answer)
        case (.message, .message(let answer)): messageAnswered(answer)
        case (.sender, _), (.recipient, _), (.postmaster, _), (.authentication, _), (.message, _): close(saying: .internalError)
        }
        advance()
    }

    /// The client took too long (RFC 5321 §4.5.3.2). While a question is open it is we who are slow.
    package mutating func deadlinePassed() {
        guard openQuestion == nil else { return }
        close(saying: phase == .handshake ? nil : .timeout)
    }

    /// The daemon is to stop: the transaction at hand is finished, then 421 (RFC 5321 §3.8).
    package mutating func shutdownRequested() {
        isStopping = true
        advance()
    }

    /// The client sends no more; what it sent is still answered, an unfinished message is dropped.
    package mutating func peerClosed() {
        inputHasEnded = true
        advance()
    }

    /// Works through held input until it runs dry, a question opens, the session ends, or enough waits to be taken.
    mutating func advance() {
        isBehind = false
        while openQuestion == nil, phase == .command || phase == .authentication {
            if hasEnoughToDo {
                isBehind = true
                return
            }
            if isStopping, isIdle { return close(saying: .shuttingDown) }
            if reception?.awaitsContent == true {
                guard framer.count > 0 else { break }
                receiveHeldContent()
                continue
            }
            guard let line = framer.next(limit: lineLimit) else { break }
            lineReceived(line)
        }
        guard openQuestion == nil, phase != .closed else { return }
        flush()
        if inputHasEnded { close() }
    }

    /// Of chunks only what is theirs is taken: a thousand of them in one read must not move the rest a thousand times.
    private mutating func receiveHeldContent() {
        let held: [UInt8]
        if case .chunks(let chunks)? = reception?.framing { held = framer.take(chunks.remaining) } else { held = framer.takeAll() }
        held.withUnsafeBytes { bytes in
            let rest = receiveContent(bytes)
            framer.append(rest)
        }
    }

    private var lineLimit: Int {
        let limits = configuration.limits
        return configuration.service == .submission
            ? max(limits.commandLine, limits.authenticationLine) : limits.commandLine
    }

    private mutating func lineReceived(_ result: LineFramer.Result) {
        // A response that is no line ends the exchange: what follows is not taken for another try.
        if phase == .authentication, !result.isLine { phase = .command }
        switch result {
        case .line(let line):
            if phase == .authentication { return authenticationResponse(line) }
            commandReceived(line)
        case .tooLong: refuse(.lineTooLong)
        case .bareCR: refuse(.bareCRInCommand)
        case .bareLF: refuse(.bareLFInCommand)
        case .hopeless: close(saying: .tooManyErrors)
        }
    }
}
