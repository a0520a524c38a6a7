// Which copy is handed out next, and when: lanes for those that may go, timers for those that wait, a window for each agent.

import Kernel
import MailModel

/// The order of handing out. It names copies; what it says of one is looked at again before anything is done.
struct ReadyCopies {
    private var lanes: [Agent: Lanes] = [:]
    private var outstanding: [Agent: Int] = [:]
    var timers = TimerHeap()

    var deadline: WallTime? { timers.first }

    /// Puts a copy where its state says.
    mutating func takeUp(_ copy: Copy, _ place: CopyIndex) {
        guard let agent = copy.agent else { return }
        switch copy.state {
        case .waiting(let until):
            if until <= .whenever { lanes[agent, default: Lanes()].append(place, lane: copy.lane) } else { timers.insert(until, place) }
        case .assigned: outstanding[agent, default: 0] += 1
        case .failed, .delivered, .bounced: break
        }
    }

    /// A copy whose time has come.
    mutating func admit(_ copy: Copy, _ place: CopyIndex) {
        if let agent = copy.agent { lanes[agent, default: Lanes()].append(place, lane: copy.lane) }
    }

    /// The next copy for an agent that has fewer than `window` unanswered.
    mutating func next(for agent: Agent, window: Int) -> CopyIndex? {
        outstanding[agent, default: 0] < window ? lanes[agent]?.next() : nil
    }

    mutating func noteAssigned(to agent: Agent) { outstanding[agent, default: 0] += 1 }
    mutating func noteAnswered(by agent: Agent) { outstanding[agent, default: 1] -= 1 }
}
