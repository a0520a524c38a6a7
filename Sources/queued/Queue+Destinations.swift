// What the queue does about destinations that answer nobody: it puts their copies off, and sends one to ask.

import Kernel
import MailModel
import SpoolFormat

extension Queue {
    /// Who fails together: copies with one route, all without one where there is a smarthost, else those for one domain.
    func destinationName(of copy: Copy) -> [UInt8] { copy.nextHop ?? smarthost ?? copy.lane }

    /// Puts off a copy whose destination rests, without an attempt: as long, and to the same end, as if it had been tried in vain.
    mutating func rest(_ message: OpenMessage, _ place: CopyIndex, _ last: Answer, now: WallTime) {
        putOff(message, place.index, by: .remoted, last, now: now)
        guard case .waiting = message.copies[place.index].state, !message.copies[place.index].isParked else { return }
        message.change(place.index) { $0.isParked = true }
        destinations.park(place, at: destinationName(of: message.copies[place.index])) { [messages] in messages[$0.id]?.copies[safe: $0.index]?.isFinished == false }
    }

    /// An answer of remoted, to a copy that it has, as the word on a destination.
    mutating func note(_ reach: Reach, _ message: OpenMessage, _ index: Int, _ answer: Answer, now: WallTime) {
        guard case .assigned = message.copies[index].state, message.copies[index].agent == .remoted else { return }
        let place = CopyIndex(id: message.id, index: index)
        wake(destinations.heard(reach, of: place, from: destinationName(of: message.copies[index]), answer, schedule: schedule, now: now))
    }

    /// Lets one copy go for each destination whose rest is over.
    mutating func wakeProbes(now: WallTime) {
        let isWaiting: (CopyIndex) -> Bool = { [messages] in
            guard let message = messages[$0.id], message.order == nil else { return false }
            return message.copies[safe: $0.index]?.isWaiting ?? false
        }
        wake(destinations.probes(now: now, isWaiting: isWaiting, longest: schedule.longest))
    }

    /// For `retry`: the destinations of those that are named, or all, are tried as if nothing were known.
    mutating func forgetDestinations(of ids: [QueueID]?) {
        guard let ids else { return unpark(destinations.forget()) }
        for message in ids.compactMap({ messages[$0] }) {
            for copy in message.copies where copy.agent == .remoted { wake(destinations.forget(destinationName(of: copy))) }
        }
    }

    /// Copies without a route have another destination now than that at which they wait.
    mutating func changeSmarthost(_ name: [UInt8]?) {
        guard name != smarthost else { return }
        smarthost = name
        wake(destinations.forget())
    }

    private mutating func wake(_ places: [CopyIndex]) {
        unpark(places)
        for place in places {
            guard let message = messages[place.id], message.copies[safe: place.index]?.isResting ?? false else { continue }
            message.set(place.index, .ready)
            ready.takeUp(message.copies[place.index], place, message.rank)
        }
    }

    private func unpark(_ places: [CopyIndex]) {
        for place in places where messages[place.id]?.copies.indices.contains(place.index) ?? false {
            messages[place.id]?.change(place.index) { $0.isParked = false }
        }
    }
}

extension Copy {
    fileprivate var isWaiting: Bool {
        if case .waiting = state { true } else { false }
    }

    /// It waits for its time, and may go before that.
    fileprivate var isResting: Bool {
        guard case .waiting(let until) = state else { return false }
        return until > .whenever
    }
}
