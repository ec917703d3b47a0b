package thaw.runtime;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceLoader;

/** A handler that takes a value made from the event's JSON and returns one that becomes the response's. */
final class ValueHandler implements Handler {
    static final byte[] NULL = {'n', 'u', 'l', 'l'};

    private final Object receiver;
    private final Method method;
    /** Null where the handler takes no event. */
    private final Type input;

    private final Type output;
    private final boolean takesContext;
    private final boolean byInterface;
    private final Serializer serializer;

    ValueHandler(
            Object receiver, Method method, Type input, Type output, boolean takesContext, boolean byInterface,
            FunctionClasses classes) throws Exception {
        this.receiver = receiver;
        this.method = method;
        this.input = input;
        this.output = output;
        this.takesContext = takesContext;
        this.byInterface = byInterface;
        this.serializer = serializer(classes);
        method.setAccessible(true);
    }

    @Override
    public byte[] handle(byte[] event, Object context) throws Throwable {
        List<Object> arguments = new ArrayList<Object>(2);
        if (input != null) arguments.add(read(event));
        if (takesContext) arguments.add(context);
        Object result;
        try {
            result = method.invoke(receiver, arguments.toArray());
        } catch (InvocationTargetException thrown) {
            throw byInterface ? Fault.hideReflection(thrown.getCause()) : thrown.getCause();
        }
        if (output == void.class || output == Void.class) return NULL.clone();
        try {
            return serializer.write(result, output);
        } catch (Exception | StackOverflowError thrown) {
            throw new RuntimeException("An error occurred during JSON serialization of response", thrown);
        }
    }

    private Object read(byte[] event) {
        try {
            return serializer.read(event, input);
        } catch (Exception thrown) {
            throw new RuntimeException("An error occurred during JSON parsing", thrown);
        }
    }

    private interface Serializer {
        Object read(byte[] json, Type type) throws Exception;

        byte[] write(Object value, Type type) throws Exception;
    }

    /** The function's own {@code CustomPojoSerializer}, where it offers one as a service, or the runtime's. */
    private static Serializer serializer(FunctionClasses classes) throws Exception {
        Class<?> custom = classes.core("CustomPojoSerializer");
        if (custom == null) return new OwnSerializer();
        Iterator<?> found = ServiceLoader.load(custom, classes.loader).iterator();
        if (!found.hasNext()) return new OwnSerializer();
        Object instance = found.next();
        if (found.hasNext())
            throw new Fault(
                    "Too many serializers provided inside the META-INF/services folder, only one is allowed",
                    "com.amazonaws.services.lambda.runtime.api.client.TooManyServiceProvidersFoundException", null, true);
        return new CustomSerializer(custom, instance);
    }

    private static final class OwnSerializer implements Serializer {
        @Override
        public Object read(byte[] json, Type type) {
            try {
                return Binder.bind(JsonParser.parse(json), type);
            } catch (JsonException wrong) {
                throw new UncheckedIOException(wrong);
            }
        }

        @Override
        public byte[] write(Object value, Type type) throws JsonException {
            return Frames.utf8(JsonWriter.write(value));
        }
    }

    private static final class CustomSerializer implements Serializer {
        private final Object instance;
        private final Method fromJson;
        private final Method toJson;

        CustomSerializer(Class<?> type, Object instance) throws NoSuchMethodException {
            this.instance = instance;
            fromJson = type.getMethod("fromJson", InputStream.class, Type.class);
            toJson = type.getMethod("toJson", Object.class, OutputStream.class, Type.class);
        }

        @Override
        public Object read(byte[] json, Type type) throws Exception {
            return call(fromJson, new ByteArrayInputStream(json), type);
        }

        @Override
        public byte[] write(Object value, Type type) throws Exception {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            call(toJson, value, bytes, type);
            return bytes.toByteArray();
        }

        private Object call(Method method, Object... arguments) throws Exception {
            try {
                return method.invoke(instance, arguments);
            } catch (InvocationTargetException thrown) {
                throw Fault.sneak(thrown.getCause());
            }
        }
    }
}
