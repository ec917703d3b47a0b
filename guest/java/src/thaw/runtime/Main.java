package thaw.runtime;

import java.io.File;
import java.io.IOException;
import java.util.Map;

/**
 * Entry point of every managed Java runtime: says hello, waits for {@code init}, loads the handler, serves events
 * (guest/PROTOCOL.md). Written for Java 8, whose language and library every later JDK has, and without lambdas: the first
 * one costs 20 ms of a cold start.
 */
public final class Main {
    private static final String TOO_LARGE =
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).";

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Frames frames = Frames.open();
        String version = System.getProperty("java.version");
        frames.send(Frames.HELLO, "{\"pid\":" + pid() + ",\"version\":\"" + version + "\"}");
        Frames.Frame first = frames.receive();
        if (first == null || first.type == Frames.SHUTDOWN) return;
        if (first.type != Frames.INIT) throw new IOException("expected an init frame, got type " + first.type);
        Init init = new Init(JsonParser.parseObject(first.text()));
        ProcessEnvironment.replace(init.environment);
        Output output = new Output(frames, init);
        output.install();
        Snapshot.offerHooks();
        new Main.Environment(frames, init, output).run();
    }

    private static String pid() throws IOException {
        return new File("/proc/self").getCanonicalFile().getName();
    }

    /** One execution environment, from its init to its end. */
    private static final class Environment {
        private final Frames frames;
        private final Init init;
        private final Output output;
        private final FunctionClasses classes;
        private final Contexts contexts;

        Environment(Frames frames, Init init, Output output) throws IOException {
            this.frames = frames;
            this.init = init;
            this.output = output;
            this.classes = FunctionClasses.of(init);
            this.contexts = new Contexts(init, classes, output);
        }

        void run() throws IOException {
            Thread.currentThread().setContextClassLoader(classes.loader);
            Handler handler;
            try {
                contexts.installLogger();
                handler = HandlerLoader.load(init.handler, classes);
                if (init.snapStart) Snapshot.before();
            } catch (Throwable thrown) {
                Fault fault = Fault.of(thrown);
                output.error(fault.report());
                output.finish();
                frames.send(Frames.INIT_ERROR, fault.document());
                System.exit(1);
                return;
            }
            output.finish();
            frames.send(Frames.INIT_DONE, "");
            boolean alive = true;
            while (alive) {
                Frames.Frame frame = frames.receive();
                if (frame == null || frame.type != Frames.INVOKE && frame.type != Frames.RESTORE) break;
                alive = frame.type == Frames.RESTORE ? restore(frame) : serve(handler, frame);
            }
            // Threads of the function that are no daemons would keep the process.
            System.exit(alive ? 0 : 1);
        }

        /** Returns whether the runtime may serve another event. */
        private boolean serve(Handler handler, Frames.Frame frame) throws IOException {
            Map<String, Object> header = JsonParser.parseObject(frame.header());
            Invocation invocation = new Invocation(header, init);
            output.begin(invocation);
            if (invocation.traceId == null) System.clearProperty("com.amazonaws.xray.traceHeader");
            // Where AWS's X-Ray SDK for Java looks, since a process cannot change its environment.
            else System.setProperty("com.amazonaws.xray.traceHeader", invocation.traceId);
            Fault fault;
            try {
                byte[] response = handler.handle(frame.payload(), contexts.of(invocation));
                output.finish();
                // What the function left behind must not interrupt the wait for the next event.
                Thread.interrupted();
                if (frames.answer(Frames.RESPONSE, head(invocation.requestId, null), response)) return true;
                fault = new Fault(TOO_LARGE, "Function.ResponseSizeTooLarge", null, false);
            } catch (Throwable thrown) {
                fault = Fault.of(thrown);
                output.error(fault.report());
                output.finish();
            }
            frames.answer(Frames.ERROR, head(invocation.requestId, fault), Frames.utf8(fault.document()));
            return !fault.fatal;
        }

        /** Returns whether the environment can serve events. */
        private boolean restore(Frames.Frame frame) throws IOException {
            String id = Init.text(JsonParser.parseObject(frame.header()), "requestId");
            try {
                Snapshot.restored(JsonParser.parseObject(Frames.text(frame.payload())));
            } catch (Throwable thrown) {
                Fault fault = Fault.of(thrown);
                output.error(fault.report());
                output.finish();
                frames.answer(Frames.ERROR, head(id, fault), Frames.utf8(fault.document()));
                return false;
            }
            output.finish();
            frames.answer(Frames.RESPONSE, head(id, null), Frames.utf8("null"));
            return true;
        }

        private static String head(String requestId, Fault fault) {
            String head = "{\"requestId\":" + JsonWriter.quote(requestId) + ",\"maxRssKb\":" + Memory.peakKb();
            return fault == null ? head + "}" : head + ",\"exit\":" + fault.fatal + "}";
        }
    }
}
