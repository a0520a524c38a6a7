// STORE (RFC 3501 §6.4.6) and EXPUNGE (§6.4.3, RFC 4315 §2.1).

/// A STORE in progress: messages go to the store in portions, so that others get their turn.
struct StoreRun: Sendable {
    static let portion = 500

    let tag: Tag
    let operation: StoreOperation
    let numbering: Command.Numbering
    var places: PlaceList
    /// The messages that the open question is about.
    var asked: [UID] = []
    var someAreGone = false
}

extension Session {
    mutating func store(_ tag: Tag, _ set: SequenceSet, _ operation: StoreOperation, _ numbering: Command.Numbering) {
        guard !refuseReadOnly(tag), let places = places(tag, set, numbering) else { return }
        running = .store(StoreRun(tag: tag, operation: operation, numbering: numbering, places: PlaceList(places)))
    }

    mutating func stepStore(_ run: StoreRun) -> Bool {
        var run = run
        run.asked = (selected?.messages).map { messages in run.places.take(StoreRun.portion).map { messages[$0].uid } } ?? []
        guard !run.asked.isEmpty else {
            completeNumbered(run.tag, run.numbering, someAreGone: run.someAreGone, "OK STORE completed")
            return true
        }
        running = .store(run)
        ask(.store(run.asked, run.operation))
        return true
    }

    mutating func takeStore(_ answer: Answer, _ run: StoreRun) {
        guard case .stored(let updates) = answer else {
            return refuse(run.tag, answer, tellsExpunges: run.numbering == .uid)
        }
        var run = run
        for update in updates { takeStored(update, run.operation) }
        selected?.tellFlags(to: &output)
        if updates.count < run.asked.count {
            run.someAreGone = true
            needsRefresh = true
        }
        running = .store(run)
    }

    /// `.SILENT` hides what the client did itself, not what others did at the same time (RFC 3501 §6.4.6).
    private mutating func takeStored(_ update: FlagUpdate, _ operation: StoreOperation) {
        guard let index = selected?.index(of: update.uid), let old = selected?.messages[index].flags else { return }
        let expected = operation.applied(to: old)
        _ = selected?.setFlags(update)
        let isExpected = selected?.messages[index].flags == expected
        if !operation.isSilent || !isExpected { selected?.tellFlags(of: update.uid) }
    }

    /// Ends FETCH, STORE or SEARCH: by number they may tell no EXPUNGE, and a lost message is a failure (RFC 2180 §4).
    mutating func completeNumbered(
        _ tag: Tag, _ numbering: Command.Numbering, someAreGone: Bool, _ done: StaticString
    ) {
        switch numbering {
        case .uid: complete(tag, done)
        case .sequence:
            if someAreGone { return refuse(tag, .refused(.expungeIssued), tellsExpunges: false) }
            complete(tag, done, tellsExpunges: false)
        }
    }
}

extension Session {
    mutating func expunge(_ tag: Tag, _ set: SequenceSet?) {
        guard !refuseReadOnly(tag) else { return }
        running = .expunge(tag)
        ask(.expunge(among: set?.resolved(largest: selected?.messages.last?.uid.value ?? 0)))
    }

    mutating func takeExpunge(_ answer: Answer, _ tag: Tag) {
        guard case .expunged(let uids) = answer else { return refuse(tag, answer) }
        for uid in uids { selected?.vanish(uid) }
        complete(tag, "OK EXPUNGE completed")
    }
}

/// Places in the selected mailbox, taken from the front; the ranges themselves are never copied.
struct PlaceList: Sendable {
    private let ranges: [Range<Int>]
    private var range = 0
    private var taken = 0

    init(_ ranges: [Range<Int>]) { self.ranges = ranges }

    mutating func next() -> Int? {
        guard range < ranges.count else { return nil }
        let place = ranges[range].lowerBound + taken
        taken += 1
        if taken == ranges[range].count {
            range += 1
            taken = 0
        }
        return place
    }

    mutating func take(_ count: Int) -> [Int] {
        var places: [Int] = []
        while places.count < count, let place = next() { places.append(place) }
        return places
    }
}
