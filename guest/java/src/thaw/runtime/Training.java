package thaw.runtime;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Date;
import java.util.List;
import java.util.Map;

/**
 * A function that the platform runs once, when it builds the runtime, so that the JVM archives the classes that every
 * function needs (java command, "Class Data Sharing"); a third of the start is spent on loading them otherwise.
 */
public final class Training implements InvocationHandler {
    public String name;
    public Date when;
    public List<Training> parts;
    private int count;

    public int getCount() {
        return count;
    }

    public void setCount(int count) {
        this.count = count;
    }

    public Map<String, Training> handle(Training input) {
        Object proxy = Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Comparable.class}, this);
        System.out.println(input.name + proxy);
        try {
            throw new IllegalStateException(input.name);
        } catch (IllegalStateException failure) {
            System.out.println(Fault.of(failure).document().length() + Fault.of(failure).report().length());
        }
        return java.util.Collections.singletonMap("input", input);
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        return method.getName();
    }
}
