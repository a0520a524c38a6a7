// How a question is put: the connection, who the client is, then the commands of the question, until a reply is needed.

extension MilterSession {
    /// Goes on with the open question as far as it can.
    mutating func advance(at now: Duration) {
        while awaited == nil, inquiry?.wanted == nil, inquiry != nil, step(at: now) {}
        flush()
        setDeadline()
    }

    /// One step; false when something must come first.
    private mutating func step(at now: Duration) -> Bool {
        guard let inquiry else { return false }
        if let decision = knownDecision(inquiry.question) {
            decide(decision)
            return false
        }
        switch link {
        case .opening, .negotiating, .finished: return false
        case .closed:
            link = .opening
            stepDeadline = now + configuration.patience.opening
            act(.open)
            return false
        case .open(let options):
            if !introduce(options, at: now) { put(inquiry, options, at: now) }
            return true
        }
    }

    /// What need not be asked any more, or not of this milter.
    private func knownDecision(_ question: MilterQuestion) -> MilterDecision? {
        if case .finished(let decision) = link { return decision }
        switch question {
        case .connect, .mail: return nil
        case .helo, .unknown: return link == .closed ? .proceed([]) : nil
        case .recipient(_, let isRefused):
            if case .settled(let decision) = transaction { return isRefused ? .proceed([]) : decision }
            guard isRefused, case .open(let options) = link, !options.steps.contains(.refusedRecipients) else { return withoutMail }
            return .proceed([])
        case .data, .message:
            if case .settled(let decision) = transaction { return decision }
            return withoutMail
        }
    }

    /// A question about a message that the milter was not told of cannot be answered by it.
    private var withoutMail: MilterDecision? { transaction == .none ? .refuse(.failed) : nil }

    /// Tells a new connection who the client is; true if there was something to tell.
    private mutating func introduce(_ options: MilterOptions, at now: Duration) -> Bool {
        if !isClientShown, let client {
            isClientShown = true
            show(.connect, .connect(client.value), options, macros: client.macros, at: now)
            return true
        }
        if !isHelloShown, let hello {
            isHelloShown = true
            show(.helo, .helo(hello.value), options, macros: hello.macros, at: now)
            return true
        }
        return false
    }

    private mutating func put(_ inquiry: Inquiry, _ options: MilterOptions, at now: Duration) {
        if case .message(let fields, let bodySize) = inquiry.question {
            return putMessage(inquiry, fields, bodySize, options, at: now)
        }
        guard !inquiry.isPut else { return decide(.proceed([])) }
        self.inquiry?.isPut = true
        switch inquiry.question {
        case .connect, .helo, .message: break
        case .mail(let arguments):
            isMessageShown = true
            show(.mail, .mail(arguments), options, macros: inquiry.macros, at: now)
        case .recipient(let arguments, _):
            if !skipsRecipients { show(.recipient, .recipient(arguments), options, macros: inquiry.macros, at: now) }
        case .data: show(.data, .data, options, macros: inquiry.macros, at: now)
        case .unknown(let text): show(.unknown, .unknown(text), options, macros: inquiry.macros, at: now)
        }
    }

    private mutating func putMessage(
        _ inquiry: Inquiry, _ fields: [MilterField], _ bodySize: Int, _ options: MilterOptions, at now: Duration
    ) {
        switch inquiry.part {
        case .headers:
            guard inquiry.nextField < fields.count, !options.steps.contains(.noHeaders) else {
                self.inquiry?.part = .endOfHeaders
                return
            }
            let field = fields[inquiry.nextField]
            self.inquiry?.nextField += 1
            let value = field.shown(leadingSpace: options.steps.contains(.leadingSpace))
            show(.header, .header(name: field.name, value: value), options, macros: [], at: now)
        case .endOfHeaders:
            self.inquiry?.part = .body
            show(.endOfHeaders, .endOfHeaders, options, macros: inquiry.macros, at: now)
        case .body:
            guard inquiry.bodyOffset < bodySize, !options.steps.contains(.noBody) else {
                self.inquiry?.part = .endOfMessage
                return
            }
            let wanted = inquiry.bodyOffset..<min(bodySize, inquiry.bodyOffset + MilterCommand.bodyChunk)
            self.inquiry?.wanted = wanted
            stepDeadline = nil
            act(.wantsBody(wanted))
        case .endOfMessage:
            self.inquiry?.part = .over
            isMessageShown = false
            show(.endOfMessage, .endOfMessage, options, macros: inquiry.macros, at: now)
        case .over: decide(.refuse(.failed))
        }
    }

    /// Sends a command with its macros and awaits its reply, all as negotiated.
    ///
    /// The macros go even where the command itself is not wanted: a milter may need no more of it than those.
    mutating func show(
        _ step: MilterStep, _ command: MilterCommand, _ options: MilterOptions, macros: [MilterMacro], at now: Duration
    ) {
        if let (stage, version) = step.macros, options.version >= version {
            let wanted = options.macroLists[stage]
            let chosen = macros.filter { wanted?.contains($0.name) ?? true }
            if !chosen.isEmpty { send(.macros(stage, chosen)) }
        }
        guard step.omission.isEmpty || !options.steps.contains(step.omission) else { return }
        send(command)
        guard step.silence.isEmpty || !options.steps.contains(step.silence) else { return }
        awaited = step
        stepDeadline = now + patience(for: step)
    }

    func patience(for step: MilterStep) -> Duration {
        step == .endOfMessage ? configuration.patience.message : configuration.patience.command
    }
}
