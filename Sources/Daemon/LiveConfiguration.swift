// What an administrator changed since the start, as mailctl published it: the file itself lies outside the confinement, and
// nobody here believes what was not checked.

package import Configuration
import Kernel
import Spool
import Synchronization

/// The configuration in force: that of the start, with the live keys of what was published since.
package final class LiveConfiguration: Sendable {
    private struct State {
        var configuration: Configuration
        var stamps: [FileStatus?]
        var lastLook = MonotonicTime.now()
    }

    private static let names = [Configuration.Paths.publishedValues, Configuration.Paths.publishedLevels]
    private static let interval = Duration.seconds(5)

    private let service: Service
    private let folder: Path
    private let state: Mutex<State>

    /// What is published already is no news: this process has just read the file.
    init(_ configuration: Configuration, _ service: Service) {
        self.service = service
        folder = configuration.paths.published
        state = Mutex(State(configuration: configuration, stamps: LiveConfiguration.stamps(folder)))
        takeLevel()
    }

    package var current: Configuration { state.withLock { $0.configuration } }

    private static func stamps(_ folder: Path) -> [FileStatus?] {
        guard let opened = try? DirectoryDescriptor(passing: folder) else { return names.map { _ in nil } }
        return names.map { try? opened.status(of: $0) }
    }

    /// Takes what is new; true if a value of ours is another than it was. Looks once in five seconds unless it is told to.
    func look(now: MonotonicTime, isTold: Bool) -> Bool {
        let isDue = state.withLock { state in
            guard isTold || now - state.lastLook >= LiveConfiguration.interval else { return false }
            state.lastLook = now
            return true
        }
        guard isDue else { return false }
        let (old, new) = (state.withLock { $0.stamps }, LiveConfiguration.stamps(folder))
        guard old != new else { return false }
        if old.last != new.last { takeLevel() }
        var isChanged = false
        if old.first != new.first {
            guard let changed = take() else { return false }
            isChanged = changed
        }
        state.withLock { $0.stamps = new }
        return isChanged
    }

    /// Nil if it cannot be read: the next look tries again.
    private func take() -> Bool? {
        // Parsed and no more: the paths in it are none of ours, and to resolve them would ask for the working directory.
        guard let text = try? DirectoryDescriptor(passing: folder).contents(of: Configuration.Paths.publishedValues, limit: 1 << 20),
            let published = try? Configuration.parse(String(decoding: text, as: UTF8.self), file: folder.description)
        else {
            writeToStandardError(Array("\(service.rawValue): problem - reason=\(folder) cannot be read; the configuration stays as it was\n".utf8))
            return nil
        }
        return state.withLock { state in
            let new = state.configuration.adopting(published) { $0.reload == .live }
            defer { state.configuration = new }
            return new != state.configuration
        }
    }

    private func takeLevel() {
        let text = (try? DirectoryDescriptor(passing: folder).contents(of: Configuration.Paths.publishedLevels, limit: 4096)) ?? []
        Transcripts.become(TranscriptWish.wishes(in: text).filter { $0.service == service.rawValue })
        Verbosity.level = LogLevel.levels(in: text)[service.rawValue] ?? .events
    }
}
