// The events: what smtpd, the milter's connection and the clock tell the session.

extension MilterSession {
    /// smtpd asks; `macros` are those of this step. Only one question may be open.
    package mutating func asked(_ question: MilterQuestion, macros: [MilterMacro] = [], at now: Duration) {
        // A second question beside an open one would get its answer.
        if inquiry != nil { abort() }
        switch question {
        case .connect(let value):
            endTransaction()
            client = Introduction(value: value, macros: macros)
            (isClientShown, isHelloShown) = (false, false)
            hello = nil
        case .helo(let value):
            endTransaction()
            hello = Introduction(value: value, macros: macros)
            isHelloShown = false
        case .mail:
            endTransaction()
            transaction = .open
        case .recipient, .data, .unknown, .message: break
        }
        inquiry = Inquiry(question: question, macros: macros, end: now + configuration.patience.total)
        advance(at: now)
    }

    /// The connection that `.open` asked for stands.
    package mutating func opened(at now: Duration) {
        guard link == .opening else { return }
        link = .negotiating
        lastFault = nil
        send(.negotiate(configuration.offer))
        flush()
        stepDeadline = now + configuration.patience.command
        setDeadline()
    }

    /// Bytes from the milter.
    package mutating func received(_ bytes: some Collection<UInt8>, at now: Duration) {
        guard isLinked else { return }
        framer.append(bytes)
        while isLinked, let result = framer.next() {
            switch result {
            case .invalid: fail(.badLength)
            case .packet(let packet): received(packet, at: now)
            }
        }
        advance(at: now)
    }

    /// The milter closed, or could not be reached. Between messages that is its right.
    package mutating func connectionLost() {
        switch link {
        case .closed, .finished: return
        case .opening: fail(.notReached)
        case .negotiating: fail(.connectionLost)
        case .open:
            if inquiry == nil, transaction != .open { hangUp() } else { fail(.connectionLost) }
        }
        setDeadline()
    }

    package mutating func deadlinePassed(at now: Duration) {
        guard let deadline, now >= deadline else { return }
        fail(.tooSlow)
        setDeadline()
    }

    /// The octets that `.wantsBody` asked for; any other number of them means that they cannot be had.
    package mutating func bodyRead(_ bytes: ArraySlice<UInt8>, at now: Duration) {
        guard let wanted = inquiry?.wanted else { return }
        if case .open(let options) = link, bytes.count == wanted.count {
            inquiry?.wanted = nil
            inquiry?.bodyOffset = wanted.upperBound
            show(.body, .body(bytes), options, macros: [], at: now)
        } else {
            fail(.bodyUnavailable)
        }
        advance(at: now)
    }

    /// The message ends without a verdict: RSET, a client that went away, another milter's refusal.
    package mutating func abort() {
        if inquiry == nil {
            endTransaction()
        } else {
            // Its reply is on the way and would be taken for that to the next question.
            inquiry = nil
            hangUp()
            forget(.transaction)
        }
        flush()
        setDeadline()
    }

    /// The SMTP connection is over.
    package mutating func quit() {
        if case .open = link, inquiry == nil {
            endTransaction()
            send(.quit)
        }
        hangUp()
        forget(.client)
        setDeadline()
    }

    /// The SMTP connection is over and another one may use the milter's: `isOpen` says whether it stands.
    package mutating func quitForNewConnection() {
        guard case .open(let options) = link, options.version >= 6, inquiry == nil else { return quit() }
        endTransaction()
        send(.quitForNewConnection)
        flush()
        forget(.client)
    }

    package var isOpen: Bool {
        if case .open = link { return true }
        return false
    }

    private var isLinked: Bool { link == .negotiating || isOpen }

    private mutating func endTransaction() {
        abortMessage()
        forget(.transaction)
    }

    mutating func setDeadline() {
        guard let end = inquiry?.end else { return deadline = nil }
        deadline = stepDeadline.map { min($0, end) } ?? end
    }
}
