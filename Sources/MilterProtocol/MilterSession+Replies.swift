// What a milter's reply means, which depends on the step that it replies to. A reply out of place ends the connection.

extension MilterSession {
    mutating func received(_ packet: MilterPacket, at now: Duration) {
        switch link {
        case .closed, .opening, .finished: return
        case .negotiating:
            guard case .options(let answer)? = MilterReply(parsing: packet, leadingSpace: false) else {
                return fail(packet.command == UInt8(ascii: "O") ? .badOptions : .unexpectedReply(packet.command))
            }
            guard let options = configuration.offer.agreed(with: answer) else { return fail(.badOptions) }
            link = .open(options)
            advance(at: now)
        case .open(let options):
            guard let step = awaited else { return fail(.unexpectedReply(packet.command)) }
            if let action = MilterModification.action(of: packet.command) {
                guard step == .endOfMessage else { return fail(.unexpectedReply(packet.command)) }
                guard options.actions.contains(action) else { return fail(.notNegotiated(packet.command)) }
            }
            guard let reply = MilterReply(parsing: packet, leadingSpace: options.steps.contains(.leadingSpace)) else {
                return fail(.badReply(packet.command))
            }
            replied(reply, packet.command, to: step, options, at: now)
            advance(at: now)
        }
    }

    private mutating func replied(
        _ reply: MilterReply, _ command: UInt8, to step: MilterStep, _ options: MilterOptions, at now: Duration
    ) {
        switch reply {
        case .progress: stepDeadline = now + patience(for: step)
        case .modification(let change): take(change)
        case .proceed: proceed(step)
        case .skip:
            guard options.steps.contains(.skip), skip(step) else { return fail(.unexpectedReply(command)) }
        case .accept: accept(step)
        case .discard:
            guard !step.isOfConnection, step != .unknown else { return fail(.unexpectedReply(command)) }
            settle(.discard, at: step)
        case .reject: refuse(.rejected, at: step)
        case .temporaryFailure: refuse(.deferred, at: step)
        case .refuse(let refusal): refuse(refusal, at: step)
        case .shutdown, .connectionFailure: conclude(.refuse(.shutdown))
        case .options: fail(.unexpectedReply(command))
        }
    }

    private mutating func proceed(_ step: MilterStep) {
        awaited = nil
        stepDeadline = nil
        if step == .endOfMessage { settle(.proceed(inquiry?.modifications ?? []), at: step) }
    }

    /// ACCEPT at the end of a message keeps what was modified; before it, the milter has asked for nothing.
    private mutating func accept(_ step: MilterStep) {
        if step.isOfConnection { return conclude(.proceed([])) }
        if step == .unknown || step == .endOfMessage { return proceed(step) }
        settle(.proceed([]), at: step)
    }

    private mutating func refuse(_ refusal: MilterRefusal, at step: MilterStep) {
        switch step {
        case .connect, .helo: conclude(.refuse(refusal))
        // The verdict is on one recipient or one command; where we have refused already it adds nothing.
        case .recipient:
            if case .recipient(_, isRefused: true)? = inquiry?.question { return proceed(step) }
            decide(.refuse(refusal))
        case .unknown: decide(.refuse(refusal))
        case .mail, .data, .header, .endOfHeaders, .body, .endOfMessage: settle(.refuse(refusal), at: step)
        }
    }

    /// No more of this kind in this message; false where there is nothing to leave out.
    private mutating func skip(_ step: MilterStep) -> Bool {
        switch step {
        case .header: inquiry?.part = .endOfHeaders
        case .body: inquiry?.part = .endOfMessage
        case .recipient: skipsRecipients = true
        case .connect, .helo, .mail, .data, .unknown, .endOfHeaders, .endOfMessage: return false
        }
        awaited = nil
        stepDeadline = nil
        return true
    }

    private mutating func take(_ change: MilterModification) {
        // Moved out and back, so that what is gathered is never copied.
        guard var current = inquiry else { return }
        inquiry = nil
        current.modificationOctets += change.size
        if case .replaceBody(let piece) = change {
            current.bodyOctets += piece.count
        } else {
            current.modificationCount += 1
        }
        current.modifications.append(change)
        inquiry = current
        let limits = configuration.limits
        if current.modificationCount > limits.modifications || current.modificationOctets > limits.modificationOctets
            || current.bodyOctets > limits.bodyOctets || current.modifications.count > limits.modifications + limits.bodyOctets / 1024
        {
            fail(.tooManyModifications)
        }
    }
}
