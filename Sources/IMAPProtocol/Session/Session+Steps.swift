// The turns of a session: what it does next, to whom an answer belongs, and how a command ends.

internal import MailModel

extension Session {
    /// Goes on by a little; false if only an event can bring it further.
    mutating func step() -> Bool {
        switch running {
        case nil: return wantsShutdown ? endForShutdown() : readCommand()
        case .idle(let tag): return wantsShutdown ? endForShutdown() : stepIdle(tag)
        case .append(let run): return stepAppend(run)
        case .list(let run): return stepList(run)
        case .fetch(let run): return stepFetch(run)
        case .store(let run): return stepStore(run)
        case .search(let run): return stepSearch(run)
        case .completing, .simple, .select, .status, .copy, .expunge, .close: return false
        }
    }

    mutating func take(_ answer: Answer) {
        guard let running else { return }
        switch running {
        case .completing(let completion): takeRefresh(answer, completion)
        case .simple(let tag, let done): takeSimple(answer, tag, done)
        case .select(let tag, let name, let readOnly): takeSelection(answer, tag, name, readOnly: readOnly)
        case .list(let run): takeList(answer, run)
        case .status(let tag, let name, let items): takeStatus(answer, tag, name, items)
        case .append(let run): takeAppend(answer, run)
        case .fetch(let run): takeFetch(answer, run)
        case .store(let run): takeStore(answer, run)
        case .search(let run): takeSearch(answer, run)
        case .copy(let run): takeCopy(answer, run)
        case .expunge(let tag): takeExpunge(answer, tag)
        case .close(let tag, let isExpunging): takeClose(answer, tag, isExpunging: isExpunging)
        case .idle: takeIdleRefresh(answer)
        }
    }

    private mutating func endForShutdown() -> Bool {
        bye("* BYE Server is shutting down\r\n")
        return false
    }

    private mutating func takeSimple(_ answer: Answer, _ tag: Tag, _ done: StaticString) {
        if case .done = answer { complete(tag, done) } else { refuse(tag, answer) }
    }
}

// How a command ends.
extension Session {
    /// Replies, after telling what changed; asks the store first when it said that something did.
    mutating func complete(_ tag: Tag, _ text: [UInt8], tellsExpunges: Bool = true, refreshes: Bool = false) {
        let completion = Completion(tag: tag, text: text, tellsExpunges: tellsExpunges)
        guard selected != nil, refreshes || needsRefresh else { return finish(completion) }
        needsRefresh = false
        running = .completing(completion)
        ask(.refresh)
    }

    mutating func complete(_ tag: Tag, _ text: StaticString, tellsExpunges: Bool = true, refreshes: Bool = false) {
        complete(tag, text.withUTF8Buffer(Array.init), tellsExpunges: tellsExpunges, refreshes: refreshes)
    }

    /// `NO` with the refusal; an answer that is none is our own fault.
    mutating func refuse(_ tag: Tag, _ answer: Answer, isTarget: Bool = false, tellsExpunges: Bool = true) {
        var refusal = Refusal.serverBug
        if case .refused(let reason) = answer { refusal = reason }
        let text = isTarget ? refusal.textForTarget : refusal.text
        complete(tag, Array("NO ".utf8) + text.withUTF8Buffer(Array.init), tellsExpunges: tellsExpunges)
    }

    private mutating func finish(_ completion: Completion) {
        running = nil
        selected?.tell(expunges: completion.tellsExpunges, to: &output)
        reply(completion.tag, completion.text)
    }

    private mutating func takeRefresh(_ answer: Answer, _ completion: Completion) {
        if apply(answer) { finish(completion) }
    }

    /// Takes over what the store says has changed; false if the mailbox is gone and the session with it.
    mutating func apply(_ answer: Answer) -> Bool {
        if case .changes(let changes) = answer { selected?.apply(changes) }
        if case .refused(.nonexistent) = answer {
            bye("* BYE The selected mailbox no longer exists\r\n")
            return false
        }
        // Any other trouble: the client goes on with what it knows, and is told at a later refresh.
        return true
    }
}
