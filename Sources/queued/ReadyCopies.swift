// Which copy is handed out next, and when: lanes for those that may go, timers for those that wait, a window for each agent.

import Kernel
import MailModel

/// The order of handing out. It names copies; what it says of one is looked at again before anything is done.
struct ReadyCopies {
    private var lanes: [Agent: PriorityLanes] = [:]
    private var outstanding: [Agent: Int] = [:]
    var timers = TimerHeap()

    var deadline: WallTime? { timers.first }

    /// Puts a copy where its state says.
    mutating func takeUp(_ copy: Copy, _ place: CopyIndex, priority: Int8) {
        guard let agent = copy.agent else { return }
        switch copy.state {
        case .waiting(let until):
            if until <= .whenever { admit(copy, place, priority: priority) } else { timers.insert(until, place) }
        case .assigned: outstanding[agent, default: 0] += 1
        case .failed, .delivered, .bounced: break
        }
    }

    /// A copy whose time has come.
    mutating func admit(_ copy: Copy, _ place: CopyIndex, priority: Int8) {
        if let agent = copy.agent { lanes[agent, default: PriorityLanes()].append(place, lane: copy.lane, priority: priority) }
    }

    /// The next copy for an agent that has fewer than `window` unanswered.
    mutating func next(for agent: Agent, window: Int) -> CopyIndex? {
        outstanding[agent, default: 0] < window ? lanes[agent]?.next() : nil
    }

    mutating func noteAssigned(to agent: Agent) { outstanding[agent, default: 0] += 1 }
    mutating func noteAnswered(by agent: Agent) { outstanding[agent, default: 1] -= 1 }
}
